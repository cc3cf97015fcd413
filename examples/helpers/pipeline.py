"""Helpers: a step's function uses another function of this file, and a package that lies beside it.

Their source goes along with the step; the image needs neither.

penstock run examples/helpers/pipeline.py -p text="to be or not to be"
"""

from words import counting

import penstock
from penstock import dsl


def told(word: str, times: int) -> str:
    """How a count is printed."""
    return f"{word}: {times}"


@penstock.component(helpers=[told, counting])
def most_frequent(text: str) -> str:
    """Find the word that occurs most often."""
    word, times = counting.frequencies(text)[0]
    print(told(word, times))
    return word


@dsl.pipeline(name="helpers")
def helpers(text: str = "the cat and the dog"):
    """Find the most frequent word of a text.

    Args:
        text: A few words.
    """
    most_frequent(text)

"""How often words occur."""

from collections import Counter

from .splitting import words


def frequencies(text):
    """Words and their counts, the most frequent first, equal ones by the alphabet."""
    return sorted(Counter(words(text)).items(), key=lambda item: (-item[1], item[0]))

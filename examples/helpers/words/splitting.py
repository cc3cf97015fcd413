"""What a word is."""

import re


def words(text):
    """The words of a text, in lower case."""
    return re.findall(r"[a-z']+", text.lower())

"""A file of ten steps, for the time that the command takes."""

import penstock
from penstock import dsl


@penstock.component
def count(number: int) -> int:
    """Add one."""
    return number + 1


@dsl.pipeline(name="ten-steps")
def pipeline(start: int = 0):
    """Count to ten."""
    value = start
    for _ in range(10):
        value = count(value).output

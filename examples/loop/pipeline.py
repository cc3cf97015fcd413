"""Loops: the same step for each item of a list that another step makes, and one step that reads all results.

penstock run examples/loop/pipeline.py -p count=5
"""

import penstock
from penstock import dsl


@penstock.component
def numbers(count: int) -> list:
    """The numbers from 1 to count."""
    return list(range(1, count + 1))


@penstock.component
def square(number: int) -> int:
    """The number times itself."""
    print(f"{number} x {number} = {number * number}")
    return number * number


@penstock.component
def total(squares: list) -> int:
    """The sum of all squares."""
    result = sum(int(s) for s in squares)
    print(f"sum of {len(squares)} squares: {result}")
    return result


@dsl.pipeline(name="loop")
def sum_of_squares(count: int = 3):
    """Square the numbers from 1 to count, side by side, and add them up.

    Args:
        count: How many numbers.
    """
    with dsl.ParallelFor(numbers(count).output) as number:
        squared = square(number)
    total(dsl.Collected(squared.output))

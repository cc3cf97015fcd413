"""Branches of which exactly one runs, and the value that it made.

penstock run examples/branches/pipeline.py -p score=72
"""

import penstock
from penstock import dsl


@penstock.component
def grade(mark: str, score: int) -> str:
    """Say what a score is worth."""
    return f"{mark} ({score})"


@penstock.component
def tell(text: str):
    """Print a text."""
    print(text)


@dsl.pipeline(name="branches")
def branches(score: int = 55, resit: bool = False):
    """Grade a score, and praise a good one that was reached at once.

    Args:
        score: Between 0 and 100.
        resit: Whether this was the second attempt.
    """
    with dsl.If(score >= 70, name="good"):
        good = grade("good", score)
    with dsl.Elif(dsl.all_of(score >= 50, dsl.not_(resit == "True")), name="passed"):
        passed = grade("passed", score)
    with dsl.Else(name="failed"):
        failed = grade("failed", score)
    result = dsl.OneOf(good.output, passed.output, failed.output)
    tell(f"Result: {result}")
    with dsl.If(dsl.any_of(score > 95, dsl.all_of(score >= 70, resit == "False")), name="praise"):
        tell("Well done!")

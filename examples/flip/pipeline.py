"""Conditions: one step decides which branch runs; the other branch is skipped.

penstock run examples/flip/pipeline.py -p seed=3
"""

import penstock
from penstock import dsl


@penstock.component
def flip(seed: int) -> str:
    """Flip a coin; the same seed gives the same side."""
    import random

    side = random.Random(seed).choice(["heads", "tails"])
    print(side)
    return side


@penstock.component
def announce(text: str):
    """Print a text."""
    print(text)


@dsl.pipeline(name="flip")
def flip_coin(seed: int = 0):
    """Flip a coin and say how it fell.

    Args:
        seed: What the coin depends on.
    """
    side = flip(seed).output
    with dsl.Condition(side == "heads", name="heads"):
        announce("You win")
    with dsl.Condition(side == "tails", name="tails"):
        announce("You lose")

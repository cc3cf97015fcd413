"""The smallest pipeline: one step that greets.

penstock run examples/hello/pipeline.py -p name=Ada
"""

import penstock
from penstock import dsl


@penstock.component
def greet(name: str) -> str:
    """Say hello."""
    greeting = f"Hello, {name}!"
    print(greeting)
    return greeting


@dsl.pipeline(name="hello")
def hello(name: str = "world"):
    """Greet somebody.

    Args:
        name: Who is greeted.
    """
    greet(name)

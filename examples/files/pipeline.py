"""Files: what is too large for a parameter goes from step to step as an artifact.

penstock run examples/files/pipeline.py -p lines=1000
"""

from typing import NamedTuple

import penstock
from penstock import dsl
from penstock.components import InputPath, OutputPath


@penstock.component
def write(lines: int, text_path: OutputPath("Text")):
    """Write a file; the path is given, its folder exists."""
    with open(text_path, "w") as file:
        for number in range(lines):
            file.write(f"line {number}\n")


@penstock.component
def count(text_path: InputPath("Text")) -> NamedTuple("Counts", [("lines", int), ("characters", int)]):
    """Read the file and count."""
    with open(text_path) as file:
        text = file.read()
    print(f"{text.count(chr(10))} lines, {len(text)} characters")
    return (text.count("\n"), len(text))


@dsl.pipeline(name="files")
def pass_a_file(lines: int = 100):
    """Write a file in one step and count its lines in the next.

    Args:
        lines: How many lines.
    """
    count(write(lines).output)

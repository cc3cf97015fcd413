"""Components that made-up pipelines use: a module of kfp 1.8, imported once by either compiler."""

from typing import NamedTuple

from kfp import components
from kfp.components import InputPath, OutputPath


@components.create_component_from_func
def join(first: str, second: str = "b", number: int = 3) -> str:
    return first + second * number


@components.create_component_from_func
def split(text, result_path: OutputPath("Text")) -> NamedTuple("Parts", [("head", str), ("tail", str)]):
    return text, text


@components.create_component_from_func
def read(data_path: InputPath(), also: str = "x"):
    print(data_path, also)


loaded = components.load_component_from_text("""
name: Loaded one
inputs: [{name: In Put, optional: true}, {name: data, type: Text}]
outputs: [{name: Out, type: Text}]
implementation:
  container:
    image: loaded
    command: [run, {inputPath: data}, {if: {cond: {isPresent: In Put}, then: [-i, {inputValue: In Put}]}}]
    args: [{concat: ["--out=", {outputPath: Out}]}]
""")

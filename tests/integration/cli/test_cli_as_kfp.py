"""Files that were written for kfp, run as they are."""

from __future__ import annotations

import pytest

from commandline import Rig

OLD = """
from typing import NamedTuple

from kfp import components, dsl


def divide(dividend: float, divisor: float) -> NamedTuple("Divided", [("quotient", float), ("remainder", float)]):
    return divmod(dividend, divisor)


def show(number: float, text: str):
    print(text, number)


divide_op = components.func_to_container_op(divide, base_image="python:3.11")
show_op = components.func_to_container_op(show, base_image="python:3.11")


@dsl.pipeline(name="Old", description="Divides.")
def old(number={default}):
    divided = divide_op(number, 2)
    shouted = dsl.ContainerOp(
        name="shout",
        image="shell",
        command=["sh", "-c"],
        arguments=["echo %s! > /tmp/shouted" % divided.outputs["quotient"]],
        file_outputs={{"text": "/tmp/shouted"}},
    )
    with dsl.Condition(divided.outputs["remainder"] == "1.0"):
        show_op(divided.outputs["quotient"], shouted.output)


if __name__ == "__main__":
    import kfp

    kfp.compiler.Compiler().compile(old, __file__ + ".tar.gz")
"""


@pytest.mark.parametrize(
    ("version", "default"), [("1.8", "7.0"), ("0.1", 'dsl.PipelineParam(name="number", value=7.0)')]
)
def test_a_file_for_kfp_runs_as_it_is(version: str, default: str, rig: Rig) -> None:
    rig.file("old.py", OLD.format(default=default))
    done = rig.call("run", "old.py", "--as-kfp", version, "--images", "images.toml", "--name", "odd")
    assert done.returncode == 0, done.stderr
    assert rig.call("logs", "odd", "show").stdout.strip() == "3.0! 3.0"
    done = rig.call("run", "old.py", "--as-kfp", version, "--images", "images.toml", "--name", "even", "-p", "number=8")
    assert done.returncode == 0, done.stderr
    assert "Skipped" in rig.call("runs", "get", "even").stdout

"""Pipelines in the manner of kfp 1.8, compiled to YAML by kfp or, with `--penstock`, by Penstock: prints the seconds.

`python kfp_chain.py chain|fan STEPS FILE.yaml [--penstock]`. In a process of its own: kfp and what stands for it cannot
share one.
"""

import sys
import time
import warnings

warnings.simplefilter("ignore")

if "--penstock" in sys.argv:
    from penstock.compat.kfp import install

    install("1.8")

from kfp import components, dsl
from kfp.compiler import Compiler


@components.create_component_from_func
def count(number: int) -> int:
    """Add one."""
    return number + 1


def chain(steps):
    @dsl.pipeline(name="chain")
    def pipeline(start: int = 0):
        value = start
        for _ in range(steps):
            value = count(value).output

    return pipeline


def fan(steps):
    @dsl.pipeline(name="fan")
    def pipeline(start: int = 0):
        first = count(start)
        with dsl.Condition(first.output > 0):
            with dsl.ParallelFor([1, 2, 3]):
                for _ in range(steps):
                    count(first.output)

    return pipeline


def main():
    kind, steps, target = sys.argv[1:4]
    pipeline = {"chain": chain, "fan": fan}[kind](int(steps))
    began = time.perf_counter()
    Compiler().compile(pipeline, target)
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main()

"""A pipeline of kfp 2, run by `kfp.local` without environments of its own: prints the seconds of the run.

`python kfp_local.py chain|fan STEPS FOLDER`. The quickest way that kfp offers: steps are processes of the same Python,
with nothing between them and the machine, and no package is installed for them.
"""

import logging
import sys
import time

from kfp import dsl, local


@dsl.component(install_kfp_package=False)
def count(number: int) -> int:
    """Add one."""
    return number + 1


@dsl.component(install_kfp_package=False)
def join():
    """Do nothing."""


def chain(steps):
    @dsl.pipeline(name="chain")
    def pipeline(start: int = 0):
        value = start
        for _ in range(steps):
            value = count(number=value).output

    return pipeline


def fan(steps):
    @dsl.pipeline(name="fan")
    def pipeline(start: int = 0):
        join().after(*[count(number=start) for _ in range(steps)])

    return pipeline


def main():
    kind, steps, folder = sys.argv[1:4]
    pipeline = {"chain": chain, "fan": fan}[kind](int(steps))
    logging.disable(logging.INFO)
    local.init(local.SubprocessRunner(use_venv=False), pipeline_root=folder, raise_on_error=True)
    began = time.perf_counter()
    pipeline()
    print("seconds:", time.perf_counter() - began)


if __name__ == "__main__":
    main()

"""Exit handlers: a step that runs whatever became of the others.

penstock run examples/exit_handler/pipeline.py -p fail=yes
"""

import penstock
from penstock import dsl


@penstock.component
def work(fail: str):
    """Do something, or fail when told to."""
    if fail == "yes":
        raise RuntimeError("told to fail")
    print("done")


@penstock.component
def clean_up(status: str):
    """Give back what was borrowed."""
    print(f"the run ended as {status}; cleaning up")


@dsl.pipeline(name="exit-handler")
def always_clean_up(fail: str = "no"):
    """Clean up, also after a failure.

    Args:
        fail: `yes` makes the work fail.
    """
    with dsl.ExitHandler(clean_up("{{workflow.status}}")):
        work(fail)

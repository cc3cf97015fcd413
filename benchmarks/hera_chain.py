"""The chain of `pipelines.py` in hera's own manner, compiled to YAML by hera: prints the seconds.

`python hera_chain.py STEPS FILE.yaml`, in hera's environment. As for Penstock, imports are not counted.
"""

import sys
import time

from hera.workflows import DAG, Parameter, Workflow, script


@script(image="python:3.11", outputs=Parameter(name="out", value_from={"path": "/tmp/out"}))
def count(number: int):
    """Add one."""
    with open("/tmp/out", "w") as file:
        file.write(str(number + 1))


def chain(steps: int) -> str:
    with Workflow(generate_name="chain-", entrypoint="main", arguments=Parameter(name="start", value="0")) as workflow:
        with DAG(name="main"):
            value, before = "{{workflow.parameters.start}}", None
            for number in range(steps):
                task = count(name=f"count-{number}", arguments={"number": value})
                if before is not None:
                    before >> task
                before, value = task, task.get_parameter("out")
    return workflow.to_yaml()


if __name__ == "__main__":
    steps, target = int(sys.argv[1]), sys.argv[2]
    began = time.perf_counter()
    text = chain(steps)
    with open(target, "w", encoding="utf-8") as file:
        file.write(text)
    print(time.perf_counter() - began)

"""Each construct once. Its document is checked in; container steps keep it small enough to be read."""

from penstock import components, dsl

LOAD = components.load_component_from_text(
    """
    name: Load rows
    inputs: [{name: source, type: URI}, {name: limit, type: Integer, default: 10}, {name: note, optional: true}]
    outputs: [{name: rows, type: CSV}, {name: count, type: Integer}]
    implementation:
      container:
        image: loader:1
        command: [load, {inputValue: source}]
        args:
        - {concat: [--limit=, {inputValue: limit}]}
        - {if: {cond: {isPresent: note}, then: [--note, {inputValue: note}]}}
        - {outputPath: rows}
        fileOutputs: {count: /count}
    """
)


def step(name, *arguments):
    """A step with one output."""
    return dsl.ContainerOp(name, "worker:1", ["work"], list(arguments), file_outputs={"result": "/result"})


@dsl.pipeline(name="Constructs", description="Each construct once.")
def constructs(source: "URI", names: list = ["a", "b"], threshold: float = 0.5, label: str = ""):  # noqa: B006, F821
    """Load, loop, branch, collect, and clean up whatever happens.

    Args:
        source: Where rows come from.
    """
    with dsl.ExitHandler(step("Clean up", label, "{{workflow.status}}")):
        loaded = LOAD(source, note='it\'s "here"\n')
        with dsl.ParallelFor(names, parallelism=2) as name:
            each = step("each", name, dsl.InputArgumentPath(loaded.outputs["rows"], input="rows"))
            with dsl.ParallelFor([{"x": 1, "y": "l"}, {"x": 2, "y": "r"}]) as pair:
                step("pair", name, pair.x, pair.y, each.output)
        best = step("best", dsl.Collected(each.output))
        with dsl.Condition(best.output > threshold, name="good"):
            step("publish", best.output).after(each)
            with dsl.Condition(label != "it's"):
                step("tell", label)
        tuned = step("tune", f"--count={loaded.outputs['count']} of {source}")
        tuned.set_retry(2, "OnError", "10s", 2, "5m").set_timeout(60).set_display_name("Tune it")
        tuned.set_memory_limit("1Gi").set_cpu_request("500m").set_env_variable("LABEL", label)
        tuned.set_caching_options(False).add_pod_label("team", "a")

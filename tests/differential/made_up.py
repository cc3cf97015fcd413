"""Made-up pipelines: hypothesis writes the source of a file, in the manner of kfp 1.8."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

__all__ = ["sources"]

HEADER = """\
from kfp import dsl
from kubernetes import client as k8s
from made_up_steps import join, loaded, read, split

"""
WORDS = ["train", "Test it", "a", "b-c", "Data_Prep", "x1", "load", "serve"]
TEXTS = st.one_of(
    st.sampled_from(
        ["", "a b", "yes", "1e3", "it's", 'say "x"', "ü 漢", "a\nb", "{}", "-x", "null", "0o14", "{{workflow.name}}"]
    ),
    st.text(
        st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="{}\x85\u2028\u2029\ufeff"),
        max_size=12,
    ),
)
PLAIN = st.sampled_from(["heads", "a b", "", "true", 1, 2.5, True, "ü", "1e3"])
SETTINGS = [
    ".set_memory_limit('1Gi')",
    ".set_cpu_request('500m')",
    ".set_gpu_limit(1)",
    ".set_retry(3)",
    ".set_retry(2, 'Always', '10s', 2, '1h')",
    ".set_timeout(60)",
    ".set_display_name('Shown so')",
    ".set_caching_options(False)",
    ".add_pod_label('a', 'b')",
    ".add_pod_annotation('c', 'd: e')",
    ".add_node_selector_constraint('disk', 'ssd')",
    ".add_toleration(k8s.V1Toleration(key='k', operator='Exists'))",
    ".add_env_variable(k8s.V1EnvVar(name='A', value='1'))",
    ".add_sidecar(dsl.Sidecar('side', 'nginx'))",
    ".add_volume(k8s.V1Volume(name='v', empty_dir=k8s.V1EmptyDirVolumeSource()))",
    ".add_volume_mount(k8s.V1VolumeMount(name='v', mount_path='/v'))",
]
REFERRING = [
    ".set_memory_limit({})",
    ".add_node_selector_constraint('zone', {})",
    ".add_pod_label('l', {})",
    ".add_env_variable(k8s.V1EnvVar(name='B', value=str({})))",
]


class Value(NamedTuple):
    """Something that a step can refer to."""

    text: str
    is_output: bool
    block: int
    """The block that makes it; a loop over an output stands in the same one."""


class Writer:
    """Writes one pipeline, line by line."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.lines: list[str] = []
        self.count = 0
        self.blocks = 0

    def pick(self, values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def chance(self, one_in: int) -> bool:
        return bool(self.draw(st.integers(1, one_in)) == 1)

    def pipeline(self) -> str:
        parameters = self.draw(st.lists(st.sampled_from(PARAMETERS), max_size=4, unique_by=lambda each: each[0]))
        parameters = sorted(parameters, key=lambda each: "=" in each[1])
        signature = ", ".join(name + rest for name, rest in parameters)
        self.lines += [f"@dsl.pipeline(name={self.draw(TEXTS)!r} + 'x')", f"def made_up({signature}):"]
        given = [Value(name, False, 0) for name, _ in parameters]
        if self.chance(8):
            arguments = self.argument(given)
            self.lines.append(f"    with dsl.ExitHandler(dsl.ContainerOp('end', 'alpine', arguments=[{arguments}])):")
            self.block(given, 2)
        else:
            self.block(given, 1)
        return HEADER + "\n".join(self.lines) + "\n"

    def block(self, known: list[Value], depth: int, items: tuple[Value, ...] = (), lists: bool = True) -> None:
        self.blocks += 1
        number, known = self.blocks if lists else 0, [*known, *items]
        steps: list[str] = []
        for index in range(self.draw(st.integers(1, 3)) + (3 - depth if depth < 3 else 0)):
            if index and depth < 4 and self.blocks < 8 and self.chance(2):
                steps.append(self.group(known, depth, number))
            else:
                made = self.step(known, "    " * depth, steps)
                known += [Value(f"{made}{output}", True, number) for output in self.outputs]
                steps.append(made)

    def group(self, known: list[Value], depth: int, number: int) -> str:
        indent, name = "    " * depth, self.name("g")
        references = [value for value in known if value.text]
        kind = self.pick(["condition", "loop", "subgraph"] if references else ["loop"])
        if kind == "condition":
            left, operator = self.pick(references).text, self.pick(["==", "!=", "<", ">=", ">"])
            right = self.pick(references).text if self.chance(3) else repr(self.draw(PLAIN))
            self.lines.append(f"{indent}with dsl.Condition({left} {operator} {right}) as {name}:")
            self.block(known, depth + 1)
        elif kind == "subgraph":
            self.lines.append(f"{indent}with dsl.SubGraph(parallelism={self.pick([1, 2])}) as {name}:")
            # kfp reads the list of a loop in a sub-graph from outside of it, also where it is made inside.
            self.block(known, depth + 1, lists=False)
        else:
            self.loop(known, depth, number, name)
            return ""
        return name

    def loop(self, known: list[Value], depth: int, number: int, name: str) -> None:
        lists = [value.text for value in known if value.is_output and value.block == number > 0] + [
            value.text for value in known if value.text == "numbers"
        ]
        fields = self.chance(2)
        items = (
            "[{'a': 1, 'B_b': 'x'}, {'a': 2, 'B_b': 'y'}]"
            if fields
            else self.pick(["[1, 2, 3]", "['a', 'b']", "('x',)"])
        )
        # Loops over one and the same list call their items alike, which kfp mixes up where one stands inside another.
        over = lists.pop() if lists and self.chance(3) and self.once else items
        self.once = self.once and over == items
        bound = self.pick(["", ", parallelism=2"])
        self.lines.append(f"{'    ' * depth}with dsl.ParallelFor({over}{bound}) as {name}:")
        texts = [f"{name}.a", f"{name}.B_b"] if fields else [name]
        self.block(known, depth + 1, tuple(Value(text, False, -1) for text in texts))

    once = True
    outputs: tuple[str, ...] = ()

    def name(self, letter: str) -> str:
        self.count += 1
        return f"{letter}{self.count}"

    def step(self, known: list[Value], indent: str, before: list[str]) -> str:
        name = self.name("s")
        made = self.pick([self.container, self.container, self.function, self.resource])(known)
        after = [each for each in before if each and self.chance(4)]
        self.lines.append(f"{indent}{name} = {made}" + (f".after({', '.join(after)})" if after else ""))
        return name

    def argument(self, known: list[Value]) -> str:
        texts = [value.text for value in known]
        if texts and self.chance(2):
            reference = self.pick(texts)
            return str(self.pick([reference, f"'<{{}}>'.format({reference})", f"'%s!' % {reference}"]))
        return repr(self.draw(TEXTS))

    def container(self, known: list[Value]) -> str:
        parts = [repr(self.pick(WORDS)), repr("alpine")]
        if self.chance(2):
            parts.append(f"command=['sh', '-c', {self.argument(known)}]")
        if self.chance(2):
            parts.append(f"arguments=[{', '.join(self.argument(known) for _ in range(self.draw(st.integers(0, 3))))}]")
        if self.chance(4):
            file = f"dsl.InputArgumentPath({self.argument(known)}, input='file', path='/in/file')"
            parts.append(f"artifact_argument_paths=[{file}]")
        outputs = self.pick([{}, {"out": "/out"}, {"a": "/a", "B_c": "/b"}])
        self.outputs = tuple(f".outputs[{each!r}]" for each in outputs)
        if outputs:
            parts.append(f"file_outputs={outputs!r}")
        settings = self.draw(
            st.lists(st.sampled_from(SETTINGS), max_size=3, unique_by=lambda each: each.partition("(")[0])
        )
        # kfp takes no items of loops for these.
        plain = [value.text for value in known if value.block >= 0]
        if plain and self.chance(5):
            settings = [self.pick(REFERRING).format(self.pick(plain))]
        return f"dsl.ContainerOp({', '.join(parts)}){''.join(settings)}"

    def function(self, known: list[Value]) -> str:
        kind = self.pick(["join", "split", "read", "loaded"])
        first, second = self.argument(known), self.argument(known)
        self.outputs = {
            "join": (".output",),
            "split": (".outputs['head']", ".outputs['result']"),
            "read": (),
            "loaded": (".output",),
        }[kind]
        # Names of types are compared as they are written; what is made up here is no lesson in types.
        plain = [
            f"str({each})" if each.isidentifier() or ("." in each and each[0] in "sg") else each
            for each in (first, second)
        ]
        return {
            "join": f"join({plain[0]}, second={plain[1]})",
            "split": f"split({first})",
            "read": f"read({first}, also={plain[1]})",
            "loaded": f"loaded(data={plain[0]}, in_put={second})",
        }[kind]

    def resource(self, known: list[Value]) -> str:
        self.outputs = (".outputs['name']",)
        manifest = "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': " + self.argument(known) + "}}"
        if self.chance(3):
            return f"dsl.VolumeOp(name='volume', resource_name={self.pick(WORDS)!r}, size='1Gi')"
        return f"dsl.ResourceOp(name='object', k8s_resource={manifest}, action={self.pick(['create', 'apply'])!r})"


PARAMETERS = [
    ("text", ": str = 'a'"),
    ("Must", ": str"),
    ("number", ": int = 3"),
    ("numbers", ": list = [1, 2]"),
    ("real", "=0.5"),
    ("un_typed", ""),
    ("truth", ": bool = True"),
]


@st.composite
def sources(draw: Any) -> str:
    """The source of a file with one pipeline in it, `made_up`."""
    return Writer(draw).pipeline()

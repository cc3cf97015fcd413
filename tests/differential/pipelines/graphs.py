"""Components that are graphs of others."""

from kfp import components, dsl


@components.create_component_from_func
def make(a: str = "x") -> str:
    return a


@components.create_component_from_func
def use(text: str, other: str = "y") -> str:
    return text


graph = components.load_component_from_text("""
name: Make and use
inputs: [{name: first, type: String}, {name: second, type: String, default: s}]
outputs: [{name: result, type: String}]
implementation:
  graph:
    tasks:
      one:
        componentRef:
          spec:
            name: Inner one
            inputs: [{name: a, type: String}]
            outputs: [{name: out, type: String}]
            implementation: {container: {image: x, command: [run, {inputValue: a}, {outputPath: out}]}}
        arguments:
          a: {graphInput: {inputName: first}}
      two:
        componentRef:
          spec:
            name: Inner two
            inputs: [{name: b, type: String}, {name: c, type: String}]
            outputs: [{name: out, type: String}]
            implementation: {container: {image: x, command: [run, {inputPath: b}, {inputValue: c}, {outputPath: out}]}}
        arguments:
          b: {taskOutput: {taskId: one, outputName: out, type: String}}
          c: {graphInput: {inputName: second}}
    outputValues:
      result: {taskOutput: {taskId: two, outputName: out, type: String}}
""")


@dsl.pipeline(name="A graph component")
def graph_component(x: str = "x"):
    made = graph(x)
    use(made.outputs["result"])


@dsl.pipeline(name="A graph component twice")
def graph_twice(x: str = "x"):
    graph(x, "a")
    graph(first="b", second=x)


@dsl.pipeline(name="A graph component in a condition")
def graph_in_condition(x: str = "x"):
    made = make(x)
    with dsl.Condition(made.output == "y"):
        graph(made.output)

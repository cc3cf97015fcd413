"""Components loaded from their text."""

from kfp import components, dsl

train = components.load_component_from_text("""
name: Train model
description: Trains a model
metadata:
  annotations: {author: Ada}
  labels: {team: blue}
inputs:
- {name: Training data, description: what to learn from}
- {name: rate, type: Float, default: '0.1'}
- {name: Epochs, type: Integer, default: 10}
- {name: note, type: String, optional: true}
outputs:
- {name: Model, type: Model, description: what was learnt}
- {name: Log-file}
implementation:
  container:
    image: trainer:1.0
    command: [python3, train.py]
    args:
    - --data
    - {inputPath: Training data}
    - --rate
    - {inputValue: rate}
    - concat: ["--epochs=", {inputValue: Epochs}]
    - if:
        cond: {isPresent: note}
        then: [--note, {inputValue: note}]
        else: [--no-note]
    - --model
    - {outputPath: Model}
    - --log
    - {outputPath: Log-file}
    env:
      MODE: fast
""")

predict = components.load_component_from_text("""
name: predict
inputs:
- {name: model, type: Model}
- {name: count, type: Integer, default: '3', optional: true}
- {name: flag, type: Boolean, default: 'False'}
outputs: [{name: result}]
implementation:
  container:
    image: predictor
    command: [predict, {inputPath: model}, {inputValue: count}, {inputValue: flag}]
    fileOutputs: {result: /out/result}
""")

nameless = components.load_component_from_text("implementation: {container: {image: alpine}}")

conditional = components.load_component_from_text("""
name: conditional
inputs: [{name: a, optional: true}, {name: b, optional: true}]
implementation:
  container:
    image: x
    args:
    - if: {cond: {isPresent: a}, then: [-a, {inputPath: a}]}
    - if: {cond: true, then: [always]}
    - if: {cond: 'false', then: [never], else: otherwise}
    - concat: [x, {if: {cond: {isPresent: b}, then: [{inputValue: b}], else: [none]}}, z]
""")

metrics = components.load_component_from_text("""
name: metrics
outputs: [{name: MLPipeline Metrics, type: Metrics}, {name: mlpipeline_ui_metadata}, {name: other}]
implementation:
  container:
    image: x
    command: [run, {outputPath: MLPipeline Metrics}, {outputPath: mlpipeline_ui_metadata}, {outputPath: other}]
""")


@dsl.pipeline(name="Loaded")
def loaded(rate: float = 0.5):
    made = train("a,b", rate)
    predict(made.outputs["Model"])
    predict(model=made.outputs["model"], count=5, flag=True)


@dsl.pipeline(name="Arguments of a loaded component")
def loaded_arguments(data: str = "x", note: str = "n"):
    train(training_data=data, note=note, epochs=3)
    train(data, note=None)
    train(training_data="text", rate="0.3", epochs="7", note="")


@dsl.pipeline(name="Nameless")
def nameless_component():
    nameless()
    nameless()


@dsl.pipeline(name="Conditional parts")
def conditional_parts(x: str = "x"):
    conditional()
    conditional(a="1")
    conditional(a=x, b=x)
    conditional(b="")


@dsl.pipeline(name="Conventional outputs of a component")
def conventional():
    made = metrics()
    dsl.ContainerOp("a", "alpine", arguments=[made.outputs["other"]])


@dsl.pipeline(name="A value and a file")
def value_and_file():
    both = components.load_component_from_text("""
name: both
inputs: [{name: data}]
implementation: {container: {image: x, command: [{inputValue: data}, {inputPath: data}]}}
""")
    made = predict(train("x").outputs["Model"])
    both(made.output)
    both("constant")


@dsl.pipeline(name="Loaded in a loop")
def loaded_in_a_loop(rates: list = [0.1, 0.2]):
    with dsl.ParallelFor(rates) as rate:
        predict(train("x", rate).outputs["Model"])


unread = components.load_component_from_text("""
name: unread
inputs: [{name: a, type: String}, {name: b, default: 'x', type: String}, {name: c, optional: true}]
outputs: [{name: One}, {name: two}]
implementation: {container: {image: x, command: [run, {outputPath: two}]}}
""")


@dsl.pipeline(name="Ports that no command names")
def unnamed_ports(x: str = "x"):
    made = unread("a")
    unread(x, c=made.outputs["One"])
    unread(a=x, b="y", c=made.outputs["two"])


spelled = components.load_component_from_text("""
name: spelled
inputs:
- {name: a, type: Float, default: 1.0}
- {name: b, type: Float, default: 1e3}
- {name: c, type: Float, default: 1.0e-3}
- {name: d, type: Boolean, default: yes}
- {name: e, default: 0o17}
- {name: f, default: 017}
- {name: g, default: 1_000}
- {name: h, default: 1:30}
- {name: i, default: .5}
- {name: j, default: ''}
implementation:
  container:
    image: x
    command: [run, {inputValue: a}, {inputValue: b}, {inputValue: c}, {inputValue: d}, {inputValue: e},
      {inputValue: f}, {inputValue: g}, {inputValue: h}, {inputValue: i}, {inputValue: j}]
""")


@dsl.pipeline(name="Defaults as YAML spells them")
def spelled_defaults():
    spelled()


write_there = components.load_component_from_text("""
name: write there
outputs: [{name: out}]
implementation: {container: {image: x, command: [{outputUri: out}]}}
""")
read_there = components.load_component_from_text("""
name: read there
inputs: [{name: given}, {name: more, optional: true}]
implementation:
  container: {image: x, command: [{inputUri: given}, {if: {cond: {isPresent: more}, then: [{inputUri: more}]}}]}
""")


@dsl.pipeline(name="Addresses of artifacts")
def addresses():
    made = write_there()
    read_there(made.output)
    read_there(made.output, write_there().output)

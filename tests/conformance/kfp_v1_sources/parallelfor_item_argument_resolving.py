from kfp import dsl
from kfp.components import create_component_from_func


def produce_str() -> str:
    return "Hello"


def produce_list_of_dicts() -> list:
    return [{"aaa": "aaa1", "bbb": "bbb1"}, {"aaa": "aaa2", "bbb": "bbb2"}]


def produce_list_of_strings() -> list:
    return ["a", "z"]


def produce_list_of_ints() -> list:
    return [1234567890, 987654321]


def consume(param1):
    print(param1)


@dsl.pipeline(name="parallelfor-item-argument-resolving")
def parallelfor_item_argument_resolving():
    functions = (produce_str, produce_list_of_strings, produce_list_of_ints, produce_list_of_dicts, consume)
    made = [create_component_from_func(each) for each in functions]
    text, strings, ints, dicts = (each().output for each in made[:4])
    use = made[4]
    with dsl.ParallelFor(strings) as item:
        use(strings)
        use(item)
        use(text)
    with dsl.ParallelFor(ints) as item:
        use(ints)
        use(item)
    with dsl.ParallelFor(dicts) as item:
        use(dicts)
        use(item.aaa)
    items = [{"a": 1, "b": 2}, {"a": 10, "b": 20}]
    with dsl.ParallelFor(items) as item:
        use(items)
        use(item)

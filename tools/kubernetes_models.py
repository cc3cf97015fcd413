"""Run by the Python of an environment that has the `kubernetes` package: prints its objects' fields.

A class a line, its fields in the order of their arguments: `field`, or `field=name` where a document spells it in
another way than its words say; a star after those that must be given.
"""

import inspect

from kubernetes.client import models
from kubernetes.client.configuration import Configuration


def main():
    kinds = {name: kind for name, kind in vars(models).items() if inspect.isclass(kind)}
    for name in sorted(kinds):
        print(name, *(field(kinds[name], each) for each in arguments(kinds[name])))


def arguments(kind):
    return [
        name for name in inspect.signature(kind.__init__).parameters if name not in ("self", "local_vars_configuration")
    ]


def field(kind, name):
    key = kind.attribute_map[name]
    return name + ("" if key == camel(name) else f"={key}") + ("*" if required(kind, name) else "")


def required(kind, name):
    made = kind.__new__(kind)
    made.local_vars_configuration = Configuration()
    try:
        setattr(made, name, None)
    except ValueError:
        return True
    return False


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


if __name__ == "__main__":
    main()

"""Run by the Python of an environment that has kfp 1.8: prints, as JSON, what its public modules offer.

For each module its names: a list of parameters for what can be called, null for what cannot; for a class its methods,
too, as `Class.method`. This file uses the standard library and kfp's own packages alone.
"""

import importlib
import inspect
import json
import types
import warnings

MODULES = (
    "kfp",
    "kfp.dsl",
    "kfp.dsl.types",
    "kfp.dsl.data_passing_methods",
    "kfp.dsl.extensions.kubernetes",
    "kfp.components",
    "kfp.compiler",
    "kfp.containers",
    "kfp.auth",
    "kfp.gcp",
    "kfp.aws",
    "kfp.azure",
    "kfp.onprem",
)


def main():
    warnings.simplefilter("ignore")
    print(json.dumps({name: surface(importlib.import_module(name)) for name in MODULES}, indent=1, sort_keys=True))


def surface(module):
    found = {}
    for name, value in sorted(vars(module).items()):
        if name.startswith("_") or not own(value):
            continue
        found[name] = parameters(value)
        if isinstance(value, type) and not issubclass(value, Exception):
            found.update(methods(name, value))
    return found


def methods(name, kind):
    for method, value in sorted(inspect.getmembers(kind)):
        function = value.fget if isinstance(value, property) else value
        # What comes from Kubernetes' own objects is theirs.
        if not method.startswith("_") and inspect.isfunction(function) and function.__module__.startswith("kfp"):
            yield f"{name}.{method}", parameters(value)


def own(value):
    """Whether kfp itself defines it, and not a module that it imports; constants have no module of their own."""
    if isinstance(value, (types.ModuleType, types.BuiltinFunctionType)):
        return False
    return getattr(value, "__module__", None) is None or str(value.__module__).startswith("kfp")


def parameters(value):
    try:
        found = inspect.signature(value).parameters.values()
        return [each.name for each in found if each.name != "self" and each.kind is not each.VAR_POSITIONAL]
    except (TypeError, ValueError):
        return None


if __name__ == "__main__":
    main()

"""Run by the Python of an environment that has kfp 0.1.11: compiles one file, and writes its documents, or the errors,
by function, as JSON.

This file uses the standard library and kfp's own packages alone.
"""

import inspect
import json
import sys
import types
import warnings


def main(path, *functions):
    warnings.simplefilter("ignore")
    from kfp.compiler import Compiler
    from kfp.components import _dynamic

    _dynamic.create_function_from_parameters = with_signature
    module = types.ModuleType("a_pipeline")
    sys.modules[module.__name__] = module
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    made = {}
    for name in functions:
        try:
            made[name] = Compiler()._compile(getattr(module, name))
        except Exception as error:
            made[name] = f"{type(error).__name__}: {error}"
    json.dump(made, sys.stdout)


def with_signature(function, parameters, documentation=None, func_name=None, func_filename=None):
    """What kfp 0.1 makes from the parts of a code object, which have become more since."""
    signature = inspect.Signature(parameters)

    def called(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return function(dict(bound.arguments))

    called.__signature__ = signature
    called.__name__ = func_name or called.__name__
    called.__doc__ = documentation
    return called


if __name__ == "__main__":
    main(*sys.argv[1:])

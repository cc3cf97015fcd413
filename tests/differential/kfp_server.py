"""Run by the Python of an environment that has kfp 1.8: compiles sources that come in, a JSON text a line each.

A request has `path` and `function`, and `written`: whether the document goes through the YAML that kfp writes, which
takes kfp longer than all the rest. The answer has the `document` or the `error`. This file uses the standard library
and kfp's own packages alone.
"""

import contextlib
import io
import json
import os
import sys
import tempfile
import types
import warnings
from unittest import mock

import yaml
from kfp.compiler import Compiler, compiler

EXECUTED = {}
"""Files that do not change, by their paths."""


def main():
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        for line in sys.stdin:
            answers.write(json.dumps(answered(json.loads(line), os.path.join(folder, "made.yaml"))) + "\n")
            answers.flush()


def answered(request, target):
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            once = EXECUTED if request["written"] else {}
            module = once.get(request["path"]) or once.setdefault(request["path"], executed(request["path"]))
            compiled = written if request["written"] else made
            return {"document": compiled(getattr(module, request["function"]), target)}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"}


def written(pipeline, target):
    Compiler().compile(pipeline, target)
    with open(target, encoding="utf-8") as file:
        return yaml.load(file, getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def made(pipeline, target):
    documents = []
    official = Compiler()
    official._write_workflow = lambda workflow, path: documents.append(workflow)
    with mock.patch.object(compiler, "_validate_workflow"):
        official.compile(pipeline, target)
    return documents[0]


def executed(path):
    module = types.ModuleType("a_pipeline")
    sys.modules[module.__name__] = module
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    return module


if __name__ == "__main__":
    main()

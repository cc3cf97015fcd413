"""Penstock in one environment with the official clients: both work, and neither takes what the other needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from official_kfp import ROOT, python_with

OLD = """\
from kfp import dsl
from kubernetes.client import V1EnvVar, V1Toleration


@dsl.pipeline(name="both")
def both(x: str = "a"):
    op = dsl.ContainerOp("one", "alpine", arguments=[x])
    op.add_env_variable(V1EnvVar(name="A", value=x)).add_toleration(V1Toleration(key="k", operator="Exists"))
"""
NEW = """\
from kfp import dsl, compiler


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def say(text: str) -> str:
    return text


@dsl.pipeline(name="new")
def new(text: str = "a"):
    say(text=text)


compiler.Compiler().compile(new, "new.yaml")
"""
OWN = """\
from penstock import dsl


@dsl.pipeline(name="own")
def own(x: str = "a"):
    dsl.ContainerOp("one", "alpine", arguments=[x])
"""


@pytest.mark.parametrize(("name", "version"), [("kfp-1.8", "1.8.22"), ("kfp-2", "2.17.0")])
def test_both_are_installed_and_agree_on_their_packages(name: str, version: str) -> None:
    python = python_with(name)
    program = "import kfp, penstock.client, penstock.compiler; print(kfp.__version__)"
    assert ran(python, "-W", "ignore", "-c", program, folder=ROOT) == version
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"
    told = subprocess.run([uv, "pip", "check", "--no-config", "--python", str(python)], capture_output=True, text=True)
    assert told.returncode == 0, told.stderr


@pytest.mark.parametrize("name", ["kfp-1.8", "kfp-2"])
def test_penstock_compiles_beside_them_what_it_compiles_alone(name: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(OWN)
    ours = ran(Path(sys.executable), "-m", "penstock.cli.main", "compile", "own.py", "-o", "-", folder=tmp_path)
    assert ran(python_with(name), "-m", "penstock.cli.main", "compile", "own.py", "-o", "-", folder=tmp_path) == ours


def test_real_objects_of_kubernetes_are_taken(tmp_path: Path) -> None:
    (tmp_path / "old.py").write_text(OLD)
    command = ("-m", "penstock.cli.main", "compile", "--as-kfp", "1.8", "old.py", "-o", "made.json")
    documents = []
    for python in (Path(sys.executable), python_with("kfp-1.8")):
        ran(python, *command, folder=tmp_path)
        documents.append(json.loads((tmp_path / "made.json").read_text()))
    assert documents[0] == documents[1]


def test_kfp_2_works_beside_penstock(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(NEW)
    ran(python_with("kfp-2"), "-W", "ignore", "new.py", folder=tmp_path)
    assert "schemaVersion: 2.1.0" in (tmp_path / "new.yaml").read_text()


def ran(python: Path, *arguments: str, folder: Path) -> str:
    """What a program prints, run in a folder."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    ended = subprocess.run([str(python), *arguments], cwd=folder, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.strip()

"""How files for kfp 0.1 make images of functions: in a cluster there, by the docker or podman command here.

What told the cluster where and how (`staging_gcs_path`, `namespace`) has no effect.
"""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from penstock import components
from penstock.components import images
from penstock.dsl.naming import component_title
from penstock.dsl.tracing import located
from penstock.errors import InvalidPipeline
from penstock.workflow.yaml import dump_yaml

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from penstock.components import Component

__all__ = ["VersionedDependency", "build_docker_image", "build_python_component", "python_component"]

_PROGRAM = "/ml/main.py"
_TYPES = (int, float, str, bool)


class VersionedDependency:
    """A Python package that an image gets, of one version, or between two."""

    def __init__(
        self, name: str, version: str | None = None, min_version: str | None = None, max_version: str | None = None
    ) -> None:
        self.name = name
        self.min_version = version or min_version
        self.max_version = version or max_version

    def has_min_version(self) -> bool:
        """Whether older ones are not taken."""
        return self.min_version is not None

    def has_max_version(self) -> bool:
        """Whether newer ones are not taken."""
        return self.max_version is not None

    def has_versions(self) -> bool:
        """Whether not every version is taken."""
        return self.has_min_version() or self.has_max_version()

    def requirement(self) -> str:
        """As pip reads it."""
        bounds = ((">=", self.min_version), ("<=", self.max_version))
        return self.name + ",".join(f"{sign}{version}" for sign, version in bounds if version is not None)


def python_component(
    name: str, description: str | None = None, base_image: str | None = None, target_component_file: str | None = None
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Decorate a function that `build_python_component` gets: what its component is called, and made of."""

    def note(func: Callable[..., Any]) -> Callable[..., Any]:
        notes = {
            "_component_human_name": name,
            "_component_description": description,
            "_component_base_image": base_image,
            "_component_target_component_file": target_component_file,
        }
        vars(func).update({key: value for key, value in notes.items() if value})
        return func

    return note


def build_python_component(
    component_func: Callable[..., Any],
    target_image: str,
    base_image: str | None = None,
    dependency: Sequence[VersionedDependency] = (),
    staging_gcs_path: str | None = None,
    build_image: bool = True,
    timeout: float = 600,
    namespace: str = "kubeflow",
    target_component_file: str | None = None,
) -> Component:
    """Build an image that runs a function, push it, and return its component; the result is its output `output`.

    Without `build_image` the image is there already. Raises InvalidPipeline for a parameter, or a result, of
    another type than int, float, str and bool, and where no base image is named; and as `build_image_from_working_dir`.
    """
    del staging_gcs_path, namespace
    notes = vars(component_func)
    if build_image:
        base = base_image or notes.get("_component_base_image")
        if base is None:
            raise InvalidPipeline(located(f"'{component_func.__name__}': base_image is missing"))
        _build(component_func, target_image, base, dependency, timeout)
    made = components.load_component_from_text(_described(component_func, target_image, notes))
    path = target_component_file or notes.get("_component_target_component_file")
    if path:
        Path(path).write_text(dump_yaml(made.spec.to_dict()), encoding="utf-8")
    return made


def build_docker_image(
    staging_gcs_path: str, target_image: str, dockerfile_path: str, timeout: float = 600, namespace: str = "kubeflow"
) -> None:
    """Build the image of a Dockerfile that copies no files, and push it. Raises as `build_image_from_working_dir`."""
    del staging_gcs_path, namespace
    with TemporaryDirectory() as folder:
        text = Path(dockerfile_path).read_text(encoding="utf-8")
        (Path(folder) / "Dockerfile").write_text(text, encoding="utf-8")
        images.build_image(target_image, Path(folder), timeout, push=True)


def _described(func: Callable[..., Any], image: str, notes: dict[str, Any]) -> str:
    names = list(inspect.signature(func).parameters)
    return json.dumps(
        {
            "name": notes.get("_component_human_name") or component_title(func.__name__),
            "description": notes.get("_component_description") or (func.__doc__ or "").strip() or None,
            "inputs": [{"name": name} for name in names],
            "outputs": [{"name": "output"}],
            "implementation": {
                "container": {"image": image, "args": [*({"value": name} for name in names), {"output": "output"}]}
            },
        }
    )


def _build(
    func: Callable[..., Any], image: str, base: str, dependency: Sequence[VersionedDependency], timeout: float
) -> None:
    with TemporaryDirectory() as name:
        folder = Path(name)
        lines = [f"FROM {base}"]
        (folder / "main.py").write_text(_program(func), encoding="utf-8")
        if dependency:
            requirements = "".join(f"{each.requirement()}\n" for each in dependency)
            (folder / "requirements.txt").write_text(requirements, encoding="utf-8")
            lines += ["COPY requirements.txt /ml/", "RUN python3 -m pip install -r /ml/requirements.txt"]
        lines += [f"COPY main.py {_PROGRAM}", f'ENTRYPOINT ["python3", "{_PROGRAM}"]']
        (folder / "Dockerfile").write_text("\n".join(lines) + "\n", encoding="utf-8")
        images.build_image(image, folder, timeout, push=True)


def _program(func: Callable[..., Any]) -> str:
    """The function, handed its arguments by their places."""
    signature = inspect.signature(func)
    kinds = {each.name: each.annotation for each in signature.parameters.values()}
    kinds["the result"] = signature.return_annotation
    wrong = [name for name, kind in kinds.items() if kind not in _TYPES]
    if wrong:
        names = ", ".join(kind.__name__ for kind in _TYPES)
        raise InvalidPipeline(located(f"'{func.__name__}': {wrong[0]}: expected a type of {names}"))
    command = components.func_to_container_op(func).spec.container.command
    return str(command[-1])

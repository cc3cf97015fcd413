"""The table of `docs/reference/kfp-parity.md`: every public name of kfp 1.8.22, and Penstock's beside it.

`python -m tools.parity` asks the official modules what they offer (in an environment of `tools/official.py`), looks the
same up under `--as-kfp 1.8`, and writes the page; `python -m tools.parity --models` writes the table of Kubernetes'
objects in `src/penstock/compat`.
"""

from __future__ import annotations

import importlib
import inspect
import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tools.official import python_of

from penstock.compat import kfp
from penstock.compat.absent import why_absent

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["page", "rows", "surface"]

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "reference" / "kfp-parity.md"
MODELS = ROOT / "src" / "penstock" / "compat" / "kubernetes.txt"
HEAD = """\
# Parity with kfp 1.8

Every public name and parameter of `kfp` 1.8.22, and what stands for it in a file that is read with `--as-kfp 1.8`.
Made by `python -m tools.parity` from the official modules.

"""
INSIDE = "it is a part of kfp's inside"
LOGIN = "its servers stand behind Google's proxy or Kubeflow's login"
SCHEDULES = "schedules are documents: `penstock compile --cron`, and `dsl.Schedule`"
ONE_SPACE = "a server of Penstock has one namespace"
MEMBERS = {
    "add_op": INSIDE,
    "add_pipeline": INSIDE,
    "get_default_pipeline": INSIDE,
    "get_next_group_id": INSIDE,
    "pop_ops_group": INSIDE,
    "push_ops_group": INSIDE,
    "remove_op_from_groups": INSIDE,
    "remove_op_recursive": INSIDE,
    "get_arguments_for_sub_group": INSIDE,
    "transform_workflow": INSIDE,
    "inputs": INSIDE,
    "to_struct": INSIDE,
    "container_spec": "it belongs to the second version of kfp's language",
    "is_v2": "it belongs to the second version of kfp's language",
    "env_variables": "deprecated in kfp; read `op.container.settings`",
    "create_workflow": "deprecated in kfp; `penstock.compiler.compile` gives the document",
    "verify_type_compatibility": "types are checked where values are connected",
    **dict.fromkeys(
        ("create_recurring_run", "delete_job", "disable_job", "get_recurring_run", "list_recurring_runs"),
        SCHEDULES,
    ),
}
"""Reasons for members of classes and for functions, by their last name."""

PARAMETERS = {
    "pattern": INSIDE,
    "namespace": ONE_SPACE,
    "user_namespace": ONE_SPACE,
    **dict.fromkeys(("client_id", "other_client_id", "other_client_secret", "cookies", "credentials"), LOGIN),
    "existing_token": "`token` is its name",
    "proxy": "the environment names it: HTTPS_PROXY",
    "ssl_ca_cert": "the environment names it: SSL_CERT_FILE",
    "kube_context": "a server of Penstock is asked at its address",
    "ui_host": "the page is served at the same address",
    **dict.fromkeys(("mode", "launcher_image", "execution_mode"), "it belongs to the second version of kfp's language"),
    "pipeline_root": "results lie in the server's store",
    "uri_search_template": "hosts of kfp's own components; `url_search_prefixes` takes any",
    "builder": "the command is docker or podman; `push=False` keeps the image here",
    "local_client": "`home` names the folder of its state",
    "service_account": "steps run as the engine's user",
    "enable_caching": "set it on steps: `set_caching_options`",
    "pipeline_conf": "call `dsl.get_pipeline_conf()` in the pipeline",
}
"""Reasons for parameters, by their names."""

SET_WHEN_MADE = ("container", "resource", "data_passing_method")
"""What an object has from its making on, and its class does not show."""

LATER = "not yet"


def surface() -> dict[str, dict[str, list[str] | None]]:
    """What the official modules offer: module → name → parameters. Raises CalledProcessError without them."""
    command = [str(python_of("kfp-1.8")), str(ROOT / "tools" / "kfp_surface.py")]
    told: dict[str, dict[str, list[str] | None]] = json.loads(
        subprocess.run(command, check=True, capture_output=True, text=True).stdout
    )
    return told


def rows(official: dict[str, dict[str, list[str] | None]]) -> Iterator[tuple[str, str, str, str]]:
    """For each name: the module, the name, its parameters, and what stands for it here."""
    with kfp.resolved("1.8"):
        for module, names in official.items():
            for name, parameters in names.items():
                yield module, name, ", ".join(parameters or ()), _ours(module, name, parameters)


def _ours(module: str, name: str, parameters: list[str] | None) -> str:
    found = _found(module, name)
    if found is None and name.rpartition(".")[2] in SET_WHEN_MADE:
        return "yes"
    if found is None:
        reason = why_absent(f"{module}.{name}") or MEMBERS.get(name.rpartition(".")[2])
        return f"— {reason or LATER}"
    lacking = _lacking(found, parameters or [])
    if not lacking:
        return "yes"
    return "yes, without " + "; ".join(f"`{each}` ({PARAMETERS.get(each, LATER)})" for each in lacking)


def _found(module: str, name: str) -> Any:
    # What is refused with a reason is not here, though its name is.
    if why_absent(f"{module}.{name}") or MEMBERS.get(name.rpartition(".")[2]) == SCHEDULES:
        return None
    value: Any = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part, None) if value is not None else None
    return value


def _lacking(value: Any, parameters: list[str]) -> list[str]:
    try:
        found = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return []
    if any(each.kind is each.VAR_KEYWORD for each in found):
        return []
    return [name for name in parameters if name not in {each.name for each in found}]


def page(official: dict[str, dict[str, list[str] | None]]) -> str:
    """The page."""
    parts, last = [HEAD], ""
    for module, name, parameters, ours in rows(official):
        if module != last:
            parts.append(f"## {module}\n\n| name | parameters | here |\n|---|---|---|\n")
            last = module
        parts.append(f"| `{name}` | {parameters} | {ours} |\n")
    return "".join(parts).replace("\n## ", "\n\n## ")


def _models() -> str:
    command = [str(python_of("kfp-1.8")), str(ROOT / "tools" / "kubernetes_models.py")]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    if "--models" in sys.argv:
        MODELS.write_text(_models(), encoding="utf-8")
    else:
        PAGE.write_text(page(surface()), encoding="utf-8")

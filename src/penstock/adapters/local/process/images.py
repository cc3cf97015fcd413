"""What stands for an image on this machine: the rules' table, how names match, what is refused."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from penstock.errors import InvalidSetting
from penstock.ports import ImageRule

__all__ = [
    "HOST_PATH",
    "SYSTEM_PATH",
    "PythonProgram",
    "find_rule",
    "folder_identity",
    "images_from_table",
    "normalised",
    "python_program",
    "refusal",
]

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HOST_PATH = f"{Path(sys.executable).parent}:{SYSTEM_PATH}"
"""PATH of a step whose root is the host's: this interpreter's programs first."""

_PYTHON = ImageRule(root="host", cmd=("python3",))
_HOST = ImageRule(root="host")


# --- names ------------------------------------------------------------------------------------------------------


def normalised(image: str) -> str:
    """The full name of an image, as Docker completes it: registry, `library/`, tag."""
    first, slash, _ = image.partition("/")
    if not slash:
        image = f"docker.io/library/{image}"
    elif first in ("docker.io", "index.docker.io"):
        rest = image.partition("/")[2]
        image = "docker.io/" + (rest if "/" in rest else f"library/{rest}")
    elif not ("." in first or ":" in first or first == "localhost"):
        image = f"docker.io/{image}"
    tagged = "@" in image or ":" in image.rpartition("/")[2]
    return image if tagged else f"{image}:latest"


def find_rule(image: str, *tables: Mapping[str, ImageRule]) -> ImageRule | None:
    """The rule of `image`: the first table that has one; in a table an exact name before a glob, then in order."""
    full = normalised(image)
    for table in tables:
        exact = next((rule for name, rule in table.items() if normalised(name) == full), None)
        rule = exact or next((rule for name, rule in table.items() if _globbed(image, full, name)), None)
        if rule is not None:
            return rule
    return None


def _globbed(image: str, full: str, pattern: str) -> bool:
    texts = ((image, pattern), (full, pattern), (full, normalised(pattern)))
    return any(fnmatchcase(text, glob) for text, glob in texts)


# --- Python function components ---------------------------------------------------------------------------------

_RUN = 'program_path=$(mktemp)\nprintf "%s" "$0" > "$program_path"\npython3 -u "$program_path" "$@"\n'
_PIP = "PIP_DISABLE_PIP_VERSION_CHECK=1 python3 -m pip install --quiet --no-warn-script-location"
_INSTALL = re.compile(
    rf'\({re.escape(_PIP)} (?P<first>.+?) \|\| {re.escape(_PIP)} (?P<second>.+) --user\) && "\$0" "\$@"', re.DOTALL
)
_INDEX_OPTIONS = frozenset({"--index-url", "-i", "--extra-index-url", "--trusted-host", "--find-links", "--no-deps"})


@dataclass(frozen=True, slots=True)
class PythonProgram:
    """A function component, recognised in a step's command line.

    `packages` are what pip would be asked for first (options of pip among them); `command` is what runs afterwards.
    """

    source: str
    arguments: tuple[str, ...]
    packages: tuple[str, ...]
    command: tuple[str, ...]


def python_program(command: Sequence[str]) -> PythonProgram | None:
    """Read a command line in the form in which compilers write function components; None if it is another.

    The forms are those of the Kubeflow Pipelines SDK 1.8.22 (`components/_python_op.py`).
    """
    packages: tuple[str, ...] = ()
    if len(command) > 3 and tuple(command[:2]) == ("sh", "-c"):
        wanted = _packages(command[2])
        if wanted is None:
            return None
        packages, command = wanted, command[3:]
    if len(command) < 4 or tuple(command[:2]) != ("sh", "-ec") or command[2].strip() != _RUN.strip():
        return None
    return PythonProgram(command[3], tuple(command[4:]), packages, tuple(command))


def _packages(preamble: str) -> tuple[str, ...] | None:
    match = _INSTALL.fullmatch(preamble.strip())
    if match is None or match["first"].strip() != match["second"].strip():
        return None
    try:
        words = shlex.split(match["first"])
    except ValueError:
        return None
    options = {word.partition("=")[0] for word in words if word.startswith("-")}
    return tuple(words) if options <= _INDEX_OPTIONS else None


# --- deciding ---------------------------------------------------------------------------------------------------


def default_rule(image: str, command: Sequence[str]) -> ImageRule | None:
    """What stands for an image that no rule names: this interpreter for Python's images and function components."""
    name = normalised(image).partition("@")[0].rpartition(":")[0]
    if name == "docker.io/library/python":
        return _PYTHON
    return _HOST if python_program(command) else None


def folder_identity(root: str) -> str:
    """Another text when anything in the folder has changed: names, sizes, rights, times of change. Reads no content.

    What is mounted inside is left out. Raises OSError.
    """
    hashed = hashlib.sha256()
    device = os.lstat(root).st_dev
    pending = [root]
    while pending:
        with os.scandir(pending.pop()) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            about = entry.stat(follow_symlinks=False)
            told = (entry.path, about.st_mode, about.st_size, about.st_ino, about.st_mtime_ns, about.st_ctime_ns)
            hashed.update(repr(told).encode("utf-8", "surrogateescape"))
            if entry.is_dir(follow_symlinks=False) and about.st_dev == device:
                pending.append(entry.path)
    return hashed.hexdigest()


def refusal(image: str, command: Sequence[str], rule: ImageRule | None, *, chroots: bool = True) -> str:
    """Why a step cannot start here, with the way out; "" if it can. `chroots`: folders can be a step's root."""
    rule = rule or default_rule(image, command)
    if rule is None:
        return (
            f"image {image!r}: no rule says what stands for it on this machine. Add to penstock.toml, or to the file "
            f'that --images names:\n[images]\n"{image}" = "host"\n(or a folder that becomes the root of its steps)'
        )
    if rule.root != "host" and not Path(rule.root).is_dir():
        return f"image {image!r}: its rule names the folder {rule.root}, which is not there"
    if rule.root != "host" and not chroots:
        return (
            f"image {image!r}: its rule names the folder {rule.root}, but this kernel gives steps no root of their own "
            f'(see penstock doctor). Use "host" in [images]'
        )
    argv = command or (*rule.entrypoint, *rule.cmd)
    if not argv:
        return (
            f"image {image!r}: the step has no command and nothing says which one the image has. Give the step a "
            f'command, or the rule one:\n[images]\n"{image}" = {{root = "{rule.root}", entrypoint = ["PROGRAM"]}}'
        )
    return _absent(image, argv[0], rule)


def _absent(image: str, command: str, rule: ImageRule) -> str:
    base = "" if rule.root == "host" else rule.root
    search = rule.env.get("PATH", SYSTEM_PATH if base else HOST_PATH)
    if "/" in command:
        # An absolute path elsewhere may be an input of the step.
        known = command.startswith(("/bin/", "/usr/", "/sbin/"))
        return "" if not known or _present(base, command) else f"image {image!r}: there is no command {command!r} in it"
    if any(_present(base, f"{folder}/{command}") for folder in search.split(":")):
        return ""
    return (
        f"image {image!r}: command {command!r} is not found in {rule.root} (PATH {search!r}). Install it, or map the "
        f"image to a folder that has it"
    )


def _present(base: str, path: str) -> bool:
    """Whether a program is there; a symbolic link inside a folder root counts without being followed."""
    return os.path.lexists(base + path) if not base else any(map(os.path.lexists, _spellings(base, path)))


def _spellings(base: str, path: str) -> Iterator[str]:
    yield base + path
    # /bin is often a link to usr/bin; inside a folder root an absolute link would lead astray.
    if path.startswith(("/bin/", "/sbin/")):
        yield f"{base}/usr{path}"


# --- the table --------------------------------------------------------------------------------------------------


def images_from_table(table: Mapping[str, Any], base: Path) -> Mapping[str, ImageRule]:
    """Rules from the `[images]` table of a TOML file; folders are relative to `base`, the file's folder.

    So are words of `entrypoint` and `cmd` and values of `env` that begin with `./`, where the root is the host's:
    programs and data beside the file.

    Raises InvalidSetting, naming the key.
    """
    if not isinstance(table, Mapping):
        raise InvalidSetting(f"images: got {table!r}, expected a table: image name or glob = rule")
    return {name: _rule(name, value, base) for name, value in table.items()}


def _rule(name: str, value: Any, base: Path) -> ImageRule:
    key = f'images."{name}"'
    if not name.strip():
        raise InvalidSetting(f"{key}: the name of an image must not be empty")
    if isinstance(value, str):
        return ImageRule(root=_root(key, value, base))
    if isinstance(value, ImageRule):
        return value
    if not isinstance(value, Mapping):
        raise InvalidSetting(f'{key}: got {value!r}, expected "host", a folder or {{root, entrypoint, cmd, env}}')
    unknown = sorted(value.keys() - {"root", "entrypoint", "cmd", "env"})
    if unknown:
        raise InvalidSetting(f"{key}.{unknown[0]}: unknown key; there are root, entrypoint, cmd, env")
    root = _root(f"{key}.root", value.get("root", "host"), base)
    beside = base if root == "host" else None
    return ImageRule(
        root=root,
        entrypoint=_words(f"{key}.entrypoint", value.get("entrypoint", []), beside),
        cmd=_words(f"{key}.cmd", value.get("cmd", []), beside),
        env=_environment(f"{key}.env", value.get("env", {}), beside),
    )


def _root(key: str, value: Any, base: Path) -> str:
    if not isinstance(value, str) or not value:
        raise InvalidSetting(f'{key}: got {value!r}, expected "host" or the path of a folder')
    if value == "host":
        return "host"
    folder = (base / Path(value).expanduser()).resolve()
    if not folder.is_dir():
        raise InvalidSetting(f'{key}: got {value!r}, expected "host" or a folder; there is no folder {folder}')
    return "host" if folder == Path("/") else str(folder)


def _words(key: str, value: Any, beside: Path | None) -> tuple[str, ...]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(word, str) and "\0" not in word for word in value):
        raise InvalidSetting(f'{key}: got {value!r}, expected a list of texts, for example ["python3", "main.py"]')
    return tuple(_located(word, beside) for word in value)


def _located(text: str, beside: Path | None) -> str:
    return os.path.normpath(beside / text) if beside and text.startswith("./") else text


def _environment(key: str, value: Any, beside: Path | None) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        raise InvalidSetting(f'{key}: got {value!r}, expected a table of texts, for example {{ LANG = "C.UTF-8" }}')
    for name, text in value.items():
        if not isinstance(text, str) or "\0" in text or not name or "=" in name:
            raise InvalidSetting(f"{key}.{name}: got {text!r}, expected a text")
    return {name: _located(text, beside) for name, text in value.items()}

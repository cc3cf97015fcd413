"""Environments of Python packages for steps: one per list of packages, in the home, made by `uv` in a supervisor.

The installer, not the step, gets the network settings of this process: `uv`'s own, and pip's translated.
"""

from __future__ import annotations

import configparser
import hashlib
import json
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import uv

from penstock.adapters.local.process.folders import remove_tree
from penstock.adapters.local.process.images import python_program

__all__ = ["installer_environment", "remove_environment", "unwanted_environments", "wanted_environment"]

_PASSED = ("PATH", "HOME", "NETRC", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "XDG_DATA_HOME")
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_FROM_PIP = {
    "index-url": "UV_DEFAULT_INDEX",
    "extra-index-url": "UV_INDEX",
    "find-links": "UV_FIND_LINKS",
    "trusted-host": "UV_INSECURE_HOST",
    "cert": "SSL_CERT_FILE",
    "timeout": "UV_HTTP_TIMEOUT",
    "default-timeout": "UV_HTTP_TIMEOUT",
}


def unwanted_environments(home: Path, commands: Iterable[Sequence[str]], before: float) -> Mapping[str, int]:
    """Names of the environments of a home that none of the commands asks for, with their sizes in bytes.

    Those that were made after `before` (seconds since the epoch) are left out, and those that are being made.
    """
    programs = (python_program(command) for command in commands)
    wanted = {_name(program.packages) for program in programs if program is not None}
    found: dict[str, int] = {}
    for mark in (home / "envs").glob("*/.complete"):
        with suppress(OSError):
            if mark.parent.name not in wanted and mark.stat().st_mtime < before:
                found[mark.parent.name] = sum(_own_size(path) for path in mark.parent.rglob("*"))
    return found


def _own_size(path: Path) -> int:
    """Bytes that go with this name of a file."""
    about = path.lstat()
    return about.st_size if about.st_nlink == 1 and stat.S_ISREG(about.st_mode) else 0


def remove_environment(home: Path, name: str) -> None:
    """Remove an environment, all of it at one instant. Raises OSError."""
    folder = home / "envs" / name
    aside = folder.with_name(f"{name}.gone")
    remove_tree(aside)
    with suppress(FileNotFoundError):
        folder.rename(aside)
    remove_tree(aside)


def _name(packages: Sequence[str]) -> str:
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    return hashlib.sha256(json.dumps([base, sys.version, list(packages)]).encode()).hexdigest()[:20]


def wanted_environment(home: Path, packages: Sequence[str], environ: Mapping[str, str]) -> dict[str, Any]:
    """What a supervisor needs to make (or find) the environment of `packages`. `dir` is where it will be."""
    base = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    folder = str(home / "envs" / _name(packages))
    program = uv.find_uv_bin()
    return {
        "dir": folder,
        "label": ", ".join(repr(word) for word in packages if not word.startswith("-")),
        "env": installer_environment(environ),
        # A step reads its environment and cannot write there: without bytecode it would compile at each start.
        "commands": [
            [program, "venv", "--quiet", "--no-project", "--python", base, folder],
            [program, "pip", "install", "--compile-bytecode", "--python", f"{folder}/bin/python", *packages],
        ],
    }


def installer_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment of `uv`: what concerns packages and the way to them, and nothing else of this process's."""
    passed = {
        name: value
        for name, value in environ.items()
        if name in _PASSED or name.lower() in _PROXIES or name.startswith(("UV_", "SSL_CERT_"))
    }
    # As pip does: those that the machine trusts, not those that `uv` brings.
    trusted = {"UV_SYSTEM_CERTS": "1"} if any(map(os.path.exists, _CERTIFICATES)) else {}
    return {**_pip_settings(environ), "LANG": "C.UTF-8", "UV_NO_PROGRESS": "1", **trusted, **passed}


def _pip_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """pip's settings, of files and variables, as `uv` reads them. A broken file is pip's matter, not ours."""
    settings: dict[str, str] = {}
    for path in _pip_files(environ):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("global", "install"):
            if parser.has_section(section):
                settings.update((name.replace("_", "-"), value) for name, value in parser.items(section))
    for name, value in environ.items():
        if name.startswith("PIP_"):
            settings[name[4:].lower().replace("_", "-")] = value
    found: dict[str, str] = {}
    for name, variable in _FROM_PIP.items():
        words = settings.get(name, "").split()
        if words:
            found[variable] = ",".join(words) if name == "find-links" else " ".join(words)
    return found


def _pip_files(environ: Mapping[str, str]) -> list[str]:
    chosen = environ.get("PIP_CONFIG_FILE", "")
    if chosen == os.devnull:
        return []
    home = environ.get("HOME", "/nonexistent")
    config = environ.get("XDG_CONFIG_HOME") or f"{home}/.config"
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", f"{home}/.pip/pip.conf", f"{config}/pip/pip.conf"]
    return [*files, f"{sys.prefix}/pip.conf", *([chosen] if chosen else [])]

"""Settings: read once at the edge, frozen afterwards.

Each setting is looked for in this order: a flag of the command, the environment (`PENSTOCK_` and the name in
capitals; an empty variable is as one that is not there), `penstock.toml` (in the working folder, else in the home),
the default that stands here. `docs/reference/settings.md` is made from this file by `python -m tools.reference`.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any

from penstock.errors import InvalidSetting

__all__ = ["NAMES", "TOKEN_LENGTH", "Settings", "default_max_steps", "load", "parse_duration", "variable"]

TOKEN_LENGTH = 16
"""Fewest characters of a token."""

Stated = dict[str, tuple[str, Any]]
"""Settings by name: where each was found, and as what."""


def default_max_steps() -> int:
    """Four steps a core, at least 16: steps wait for disks and networks more than for a core."""
    return max(16, 4 * (os.cpu_count() or 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """All settings of a Penstock process."""

    home: Path = field(default_factory=lambda: Path.home() / ".penstock", metadata={"shown": "`~/.penstock`"})
    """Folder of the database, the artifacts, the logs and the step environments."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback has to be said."""

    port: int = 8080
    """TCP port to listen on, 0 for any free one."""

    token: str = ""
    """Bearer token of the API, at least 16 characters. Empty: one is made and kept in the home."""

    allowed_hosts: tuple[str, ...] = ()
    """Further values of the `Host` header (name or name:port) that are answered, beside loopback and `host`."""

    database: str = ""
    """SQLAlchemy address of the database. Empty: SQLite in the home."""

    launcher: str = "auto"
    """How steps are started. `process`: as processes of this machine. `docker`: as containers of Docker or Podman.
    `auto`: as a process where a rule maps the image, else as a container where an engine answers."""

    max_steps: int = field(default_factory=default_max_steps, metadata={"shown": "4 a core, at least 16"})
    """How many steps run at once; the rest are Pending and say so."""

    images: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}), metadata={"shown": "–"})
    """What stands for an image: name or glob = "host", a folder, or a table {root, entrypoint, cmd, env}."""

    cache: bool = True
    """Whether a step may take over what an equal one made before."""

    interrupted: str = "restart"
    """What becomes of a step that the machine interrupted. `restart`: it is started again, at most 3 times. `error`: it
    is in Error, and tried again only where its retry strategy covers errors, as on Argo."""

    max_iterations: int = 100_000
    """Most items of one loop."""

    http_allow: tuple[str, ...] = ()
    """Hosts (name or name:port) and networks (10.0.0.0/8) that `http` templates may reach though they are private."""

    file: Path | None = field(default=None, metadata={"setting": False})
    """The `penstock.toml` that was read. Folders in `images` are relative to its own."""


NAMES: tuple[str, ...] = tuple(f.name for f in fields(Settings) if f.metadata.get("setting", True))
"""Names of the settings, as `penstock.toml` has them."""


def variable(name: str) -> str:
    """The environment variable of a setting, "" where there is none: a table does not fit into a variable."""
    return "" if name == "images" else f"PENSTOCK_{name.upper()}"


def parse_duration(text: str) -> float:
    """Seconds of `300`, `300s`, `5m`, `2h`, `1h30m`. Raises InvalidSetting."""
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    rest, seconds = text.strip(), 0.0
    if rest.replace(".", "", 1).isdecimal():
        rest += "s"
    try:
        if not rest:
            raise ValueError
        while rest:
            digits = len(rest) - len(rest.lstrip("0123456789."))
            unit = next(u for u in (*units, "") if rest[digits:].startswith(u))
            seconds += float(rest[:digits]) * units[unit]
            rest = rest[digits + len(unit) :]
        if not math.isfinite(seconds):
            raise ValueError
    except (ValueError, KeyError):
        raise InvalidSetting(f"duration: got {text!r:.80}, expected 300, 300s, 5m or 1h30m") from None
    return seconds


def load(
    flags: Mapping[str, Any] | None = None,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Settings of this process. Flags that are None were not given.

    Raises InvalidSetting, naming the setting, where it was found, what was got and what was expected.
    """
    stated = _of_environment(os.environ if environ is None else environ) | _of_flags(flags or {})
    home = _checked("home", *stated["home"]) if "home" in stated else Settings().home
    path = file or next((p for p in (Path("penstock.toml"), home / "penstock.toml") if p.is_file()), None)
    found = (_of_file(path) if path else {}) | stated
    values = {name: _checked(name, *found[name]) for name in NAMES if name in found}
    return Settings(**values, file=path.absolute() if path else None)


def _of_flags(flags: Mapping[str, Any]) -> Stated:
    return {name: ("flag --" + name.replace("_", "-"), value) for name, value in flags.items() if value is not None}


def _of_environment(environ: Mapping[str, str]) -> Stated:
    return {name: (variable(name), environ[variable(name)]) for name in NAMES if environ.get(variable(name))}


def _of_file(path: Path) -> Stated:
    import tomllib

    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidSetting(f"{path}: {getattr(error, 'strerror', None) or error}") from None
    unknown = sorted(table.keys() - set(NAMES))
    if unknown:
        raise InvalidSetting(f"{path}: unknown setting {unknown[0]!r}; there are {', '.join(NAMES)}")
    return {name: (str(path), value) for name, value in table.items()}


def _checked(name: str, where: str, value: Any) -> Any:
    check: Callable[[Any], Any] = _CHECKS.get(name, _text)
    try:
        return check(value)
    except ValueError as error:
        shown = "…" if name == "token" else f"{value!r:.80}"
        raise InvalidSetting(f"{name} ({where}): got {shown}, expected {error}") from None


def _home(value: Any) -> Path:
    if not isinstance(value, (str, Path)) or not str(value):
        raise ValueError("the path of a folder")
    return Path(value).expanduser().absolute()


def _integer(low: int, high: int) -> Callable[[Any], int]:
    def check(value: Any) -> int:
        text = str(value).strip() if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
        if not (text.isascii() and text.isdecimal() and len(text) < 20 and low <= int(text) <= high):
            raise ValueError(f"an integer from {low} to {high}")
        return int(text)

    return check


def _boolean(value: Any) -> bool:
    words = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise ValueError("true or false")
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text")
    return value


def _address(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("an address such as 127.0.0.1")
    return value.strip()


def _hosts(value: Any) -> tuple[str, ...]:
    hosts = value.split(",") if isinstance(value, str) else value
    if not isinstance(hosts, Sequence) or not all(isinstance(host, str) and host.strip() for host in hosts):
        raise ValueError("a list of names, each with or without :port")
    return tuple(host.strip() for host in hosts)


def _launcher(value: Any) -> str:
    known = ("auto", "process", "docker")
    if value not in known:
        raise ValueError("one of " + ", ".join(known))
    return str(value)


def _interrupted(value: Any) -> str:
    if value not in ("restart", "error"):
        raise ValueError("restart or error")
    return str(value)


def _token(value: Any) -> str:
    if not isinstance(value, str) or (value and len(value) < TOKEN_LENGTH):
        raise ValueError(f"a text of at least {TOKEN_LENGTH} characters")
    return value


def _images(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("a table: image name or glob = rule")
    return MappingProxyType(dict(value))


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "home": _home,
    "host": _address,
    "port": _integer(0, 65535),
    "cache": _boolean,
    "interrupted": _interrupted,
    "max_steps": _integer(1, 10_000),
    "max_iterations": _integer(1, 10_000_000),
    "allowed_hosts": _hosts,
    "images": _images,
    "http_allow": _hosts,
    "launcher": _launcher,
    "token": _token,
}
"""Each makes a setting's value of what was stated, or raises ValueError with what was expected."""

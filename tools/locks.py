"""Write the locks: `requirements/*.txt`, every package with its hashes, and no index or host in any of them.

Run by `make locks`; `--upgrade` moves to the newest versions.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS: dict[str, list[str]] = {
    "dev": ["--all-extras", "--group", "dev"],
    "demo": ["--extra", "examples", "--group", "build"],
    "base": [],
    "node": ["--only-group", "node"],
    "docs": ["--only-group", "docs"],
    "kfp-0.1": ["--only-group", "kfp-0-1", "--override", "requirements/kfp-0.1.overrides"],
    "kfp-1.8": ["--group", "kfp-1-8"],
    "kfp-2": ["--group", "kfp-2"],
    "hera": ["--only-group", "hera"],
    "snakemake": ["--only-group", "snakemake"],
}
"""What each lock holds. `dev` comes first: the others take its versions, so that one environment can hold all."""

APART = ("dev", "kfp-0.1", "kfp-1.8", "kfp-2", "hera", "snakemake")
"""Locks that choose their versions alone; those of others' programs are for environments of their own."""

HEADER = "# Made by `make locks` from pyproject.toml; do not edit.\n"


def command(name: str, options: list[str]) -> list[str]:
    """The resolver's command line for one lock."""
    uv = shutil.which("uv", path=sysconfig.get_path("scripts")) or "uv"
    if options[:1] == ["--only-group"]:
        source = ["--group", f"pyproject.toml:{options[1]}", *options[2:]]
    else:
        source = ["pyproject.toml", *options]
    fixed = [] if name in APART else ["--constraint", "requirements/dev.txt"]
    return [
        *(uv, "pip", "compile", "--quiet", "--no-config", "--universal", "--python-version", "3.11"),
        *("--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url", "--no-emit-find-links"),
        *fixed,
        *("--output-file", f"requirements/{name}.txt"),
        *source,
    ]


def main(arguments: list[str]) -> int:
    """Write all locks; 0 when that went well."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    for name, options in LOCKS.items():
        subprocess.run([*command(name, options), *arguments], cwd=ROOT, env=environment, check=True)
        path = ROOT / "requirements" / f"{name}.txt"
        path.write_text(HEADER + path.read_text(encoding="utf-8"), encoding="utf-8")
        print(f"requirements/{name}.txt: {path.read_text(encoding='utf-8').count('==')} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

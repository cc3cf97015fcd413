"""A process that does one thing with a home, for the crash tests: `client.py HOME resubmit|rerun|gc …`."""

from __future__ import annotations

import sys
from pathlib import Path

from penstock.bootstrap import open_home
from penstock.settings import load


def main(folder: Path, action: str, *arguments: str) -> None:
    home = open_home(load({"home": folder}, {}, folder / "penstock.toml"))
    try:
        match action:
            case "resubmit":
                home.services.runs.resubmit(arguments[0], memoized=True, parameters={"code": "0"})
            case "rerun":
                home.services.runs.rerun(arguments[0], arguments[1], parameters={"code": "0"})
            case "gc":
                home.waste(remove=True)
    finally:
        home.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])

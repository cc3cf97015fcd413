"""A server without its page, for the crash tests: holds a home and drives its runs until TERM."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from penstock.adapters.local.process import forkserver
from penstock.bootstrap import open_home
from penstock.settings import load


def let_supervisors_take_part() -> None:
    """Those that a test gave this process a library for: supervisors begin with an environment of their own."""
    passed = {name: os.environ[name] for name in ("LD_PRELOAD", "PENSTOCK_FAULTS") if name in os.environ}
    begin = subprocess.Popen

    def with_library(*arguments: Any, env: dict[str, str], **more: Any) -> subprocess.Popen[bytes]:
        return begin(*arguments, env={**env, **passed}, **more)

    forkserver.subprocess = SimpleNamespace(Popen=with_library, DEVNULL=subprocess.DEVNULL)  # type: ignore[assignment]


async def main(folder: Path) -> None:
    home = open_home(load({"home": folder}, {}, folder / "penstock.toml"))
    end = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, end.set)
    try:
        async with home.engaged():
            await end.wait()
    finally:
        home.close()


if __name__ == "__main__":
    let_supervisors_take_part()
    asyncio.run(main(Path(sys.argv[1])))

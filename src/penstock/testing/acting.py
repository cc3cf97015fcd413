"""What a step does in tests, said once: the fake launcher pretends it, `python acting.py` and `sh -c` do it.

Standard library only: any Python runs this file as a step's program.
"""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

__all__ = ["Act", "act_of", "perform", "words"]


@dataclass(frozen=True, kw_only=True)
class Act:
    """A step's behaviour: it prints, writes files, waits, and ends.

    `files` and `appends` map absolute paths to text, `copies` paths of files to those of their copies. `held`: it goes
    on until it is ended from outside. `deaf`: it does not heed TERM. `signal` not 0: it ends by that signal instead of
    with `code`.
    """

    stdout: str = ""
    stderr: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    appends: Mapping[str, str] = field(default_factory=dict)
    copies: Mapping[str, str] = field(default_factory=dict)
    held: bool = False
    deaf: bool = False
    signal: int = 0
    code: int = 0

    @property
    def exit_code(self) -> int:
        """What a launcher shall report where nobody interferes."""
        return 128 + self.signal if self.signal else self.code


def words(act: Act) -> tuple[str, ...]:
    """The act as arguments of a step: `sh -c` heeds the first alone, this file the last."""
    return (_shell(act), json.dumps(asdict(act)))


def _shell(act: Act) -> str:
    lines = ["trap '' TERM"] if act.deaf else []
    lines += [f"printf %s {shlex.quote(act.stdout)}", f"printf %s {shlex.quote(act.stderr)} >&2"]
    for sign, texts in ((">", act.files), (">>", act.appends)):
        for path, text in texts.items():
            lines.append(f"mkdir -p {shlex.quote(os.path.dirname(path))}")
            lines.append(f"printf %s {shlex.quote(text)} {sign} {shlex.quote(path)}")
    for path, target in act.copies.items():
        lines.append(f"mkdir -p {shlex.quote(os.path.dirname(target))}")
        lines.append(f"cat {shlex.quote(path)} > {shlex.quote(target)} || exit 1")
    lines += ["exec sleep 1000000"] if act.held else []
    lines += [f"kill -{act.signal} $$"] if act.signal else []
    return "\n".join([*lines, f"exit {act.code}"])


def act_of(arguments: tuple[str, ...]) -> Act:
    """The act of a step's arguments."""
    return Act(**json.loads(arguments[-1])) if arguments else Act()


def perform(act: Act, root: str = "") -> None:
    """Print and write, below `root`."""
    for stream, text in ((sys.stdout, act.stdout), (sys.stderr, act.stderr)):
        stream.write(text)
        stream.flush()
    write_files(act, root)


def write_files(act: Act, root: str) -> None:
    """Only the writing."""
    for mode, texts in (("w", act.files), ("a", act.appends)):
        for path, text in texts.items():
            Path(root + path).parent.mkdir(parents=True, exist_ok=True)
            with open(root + path, mode, encoding="utf-8") as file:
                file.write(text)
    for path, target in act.copies.items():
        Path(root + target).parent.mkdir(parents=True, exist_ok=True)
        Path(root + target).write_bytes(Path(root + path).read_bytes())


if __name__ == "__main__":
    given = act_of(tuple(sys.argv))
    if given.deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    perform(given)
    while given.held:
        signal.pause()
    if given.signal:
        os.kill(os.getpid(), given.signal)
    sys.exit(given.code)

"""Pages of the documentation as programs: what their code blocks say is done, and what they show is compared.

The convention, for every fenced block of a page:

- A block with a title (```` ```python title="hello.py" ````) is a file; it is written into the page's folder.
- A block of the language `console` holds commands, each after `$ `, and below it what it prints (both streams). They
  run in the page's folder, as lists of words, with no shell between. `$ echo $?` shows the exit code of the command
  before it; without it that command must succeed. A command that ends with ` &` goes on until the end of the page,
  which ends it as Ctrl-C does; only the lines that are shown of it are compared.
- A block after the comment `<!-- not run: REASON -->` is for reading alone.
- Any other block is a mistake.

In what is shown, `…` stands for any text within a line, and a line that is `…` alone for any lines. Times, durations
and random names are compared by their form; a run of blanks counts as one.
"""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FENCE", "Block", "Session", "blocks", "commands", "differs"]

LIMIT = 180
"""Seconds after which a command counts as hanging."""

PORT = "8080"
"""The port that pages show; the test's own stands in for it."""

FENCE = re.compile(
    r"(?P<skip><!-- not run: .+? -->\n\n?)?^```(?P<language>\w*)(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.M | re.S
)

FORMS = (
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE"),
    (r"\b\d\d:\d\d:\d\d\b", "TIME"),
    (r"\b(\d+ min )?\d+(\.\d+)? s\b", "DURATION"),
    (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "ID"),
    (r"\bcode=[-\w]+", "code=CODE"),
    (r"(?<=[a-z])-[bcdfghjklmnpqrstvwxz2456789]{5}\b", "-NAME"),
    (r" +", " "),
)


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is that of its fence in the page."""

    line: int
    language: str
    title: str
    skipped: bool
    text: str


@dataclass(frozen=True)
class Command:
    """A command and what a page shows of it."""

    words: Sequence[str]
    shown: Sequence[str]
    background: bool = False

    @property
    def asks_exit_code(self) -> bool:
        """Whether it shows the exit code of the command before it."""
        return list(self.words) == ["echo", "$?"]


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page, in order."""
    for found in FENCE.finditer(page):
        title = re.search(r'title="([^"]+)"', found["rest"])
        yield Block(
            line=page.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            title=title[1] if title else "",
            skipped=found["skip"] is not None,
            text=found["text"],
        )


def commands(text: str) -> Iterator[Command]:
    """The commands of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        first, *shown = part.rstrip("\n").split("\n")
        words = shlex.split(first)
        background = words[-1] == "&"
        yield Command(words[:-1] if background else words, shown, background)


def differs(shown: Sequence[str], got: Sequence[str]) -> str:
    """Why what was printed is not what a page shows; "" where it is."""
    pattern = "".join(_line(line) for line in shown)
    text = "".join(f"{_formed(line)}\n" for line in got)
    if re.fullmatch(pattern, text):
        return ""
    return "shown:\n" + "\n".join(shown) + "\n\nprinted:\n" + "\n".join(got)


def _line(line: str) -> str:
    if line.strip() == "…":
        return r"(?:.*\n)*"
    return ".*".join(re.escape(_formed(part)) for part in line.split("…")) + r"\n"


def _formed(text: str) -> str:
    for pattern, form in FORMS:
        text = re.sub(pattern, form, text)
    return text.rstrip()


class Session:
    """A folder in which a page's blocks are done, one after the other, with a home of its own."""

    def __init__(self, folder: Path, extra: Mapping[str, str] = {}) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self._port = str(_free_port())
        self._code = 0
        self._stack = ExitStack()
        own = {name: value for name, value in os.environ.items() if not name.startswith("PENSTOCK_")}
        tools = str(Path(sys.executable).parent)
        self._environ = own | {
            "PATH": f"{tools}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
            "PENSTOCK_HOME": str(folder / "home"),
            "PENSTOCK_PORT": self._port,
            **extra,
        }

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def do(self, block: Block) -> None:
        """Write the file, or run the commands. AssertionError says what differs from the page."""
        if block.skipped:
            return
        if block.title:
            path = self.folder / block.title
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            return
        assert block.language == "console", (
            f"line {block.line}: a block of {block.language or 'no language'} has no title, and is no console"
        )
        found = list(commands(block.text))
        for command, following in zip(found, [*found[1:], None], strict=True):
            self._run(command, block.line, may_fail=following is not None and following.asks_exit_code)

    def _run(self, command: Command, line: int, may_fail: bool) -> None:
        if command.asks_exit_code:
            assert list(command.shown) == [str(self._code)], f"line {line}: exit code {self._code}"
            return
        told = f"line {line}: $ {shlex.join(command.words)}"
        if command.background:
            got = self._stack.enter_context(self._started(command))
        else:
            done = self._process(command)
            output = done.communicate(timeout=LIMIT)[0]
            self._code, got = done.returncode, output.splitlines()
            assert may_fail or self._code == 0, f"{told}\nexit code {self._code}\n{output}"
        difference = differs(command.shown, [text.replace(f":{self._port}", f":{PORT}") for text in got])
        assert not difference, f"{told}\n{difference}"

    def _process(self, command: Command) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command.words,
            cwd=self.folder,
            env=self._environ,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    @contextmanager
    def _started(self, command: Command) -> Iterator[Sequence[str]]:
        """A command that goes on; the lines that the page shows of it."""
        process = self._process(command)
        assert process.stdout is not None
        giving_up = threading.Timer(LIMIT, process.kill)
        giving_up.start()
        try:
            yield [process.stdout.readline().rstrip("\n") for _ in command.shown]
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=LIMIT)
            # The signal may also come when the command has done its work and its interpreter ends.
            assert process.returncode in (0, 130, -signal.SIGINT), process.returncode
        finally:
            giving_up.cancel()
            process.kill()
            process.communicate()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])

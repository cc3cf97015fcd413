"""The long forms of the crash tests: they go on where they stopped, and keep what came of them.

Each part runs its test again and again until its goal is reached; counts lie in `.soak.json`, the table in
`docs/explanation/crash-safety.md`. A batch that fails does not count as done; its output goes to `.soak/`, and a part
that fails too often is left for this time.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import random
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE, FAILURES = ROOT / ".soak.json", ROOT / ".soak"
PAGE = ROOT / "docs" / "explanation" / "crash-safety.md"
BEGIN, END = "<!-- begin of the soak's table -->", "<!-- end of the soak's table -->"

PATIENCE = 3
"""Batches of a part that may fail in one call."""


@dataclass(frozen=True, slots=True)
class Part:
    """A test, the variable that sets how much one call of it does, and how much is to be done in all."""

    what: str
    test: str
    variable: str
    batch: int
    goal: int


PARTS = (
    Part(
        "random kills of server, supervisors and steps",
        "crash/test_crash_rounds.py",
        "PENSTOCK_KILL_ROUNDS",
        150,
        4500,
    ),
    Part(
        "random kills of server and containers",
        "containers/test_containers_rounds.py",
        "PENSTOCK_CONTAINER_ROUNDS",
        50,
        500,
    ),
    Part("steps that end at once, hang or vanish", "crash/test_crash_exits.py", "PENSTOCK_EXITS", 450, 9000),
    Part(
        "containers that end at once, hang or are removed",
        "containers/test_containers_exits.py",
        "PENSTOCK_CONTAINER_EXITS",
        50,
        1000,
    ),
    Part("full runs, each call of which fails once", "crash/test_crash_disk.py", "PENSTOCK_FAULT_STRIDE", 1, 1),
)


def main() -> int:
    """Go on until every goal is reached; 1 where a batch failed."""
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--again", action="store_true", help="forget what was done before")
    parser.add_argument("--batches", type=int, default=0, help="stop after so many batches of each part")
    options = parser.parse_args()
    state = {} if options.again or not STATE.is_file() else json.loads(STATE.read_text(encoding="utf-8"))
    for part in PARTS:
        counts = state.setdefault(part.what, {"done": 0, "failed": 0})
        limit = part.goal if not options.batches else min(part.goal, counts["done"] + options.batches * part.batch)
        failures = 0
        while counts["done"] < limit and failures < PATIENCE:
            if _passes(part, counts["done"]):
                counts["done"] += part.batch
            else:
                counts["failed"] += 1
                failures += 1
            STATE.write_text(json.dumps(state, indent=2) + "\n", encoding="utf-8")
            print(f"{part.what}: {counts['done']:,} of {part.goal:,}, {counts['failed']} batches failed", flush=True)
    _tell(state)
    return int(any(counts["failed"] for counts in state.values()))


def _passes(part: Part, done: int) -> bool:
    seed = random.SystemRandom().randrange(1, 2**32)
    env = {**os.environ, part.variable: str(part.batch), "PENSTOCK_KILL_SEED": str(seed)}
    test = ROOT / "tests" / "integration" / part.test
    ran = subprocess.run([sys.executable, "-m", "pytest", "-q", str(test)], cwd=ROOT, env=env, capture_output=True)
    if ran.returncode:
        FAILURES.mkdir(exist_ok=True)
        (FAILURES / f"{test.stem}-{done}-{seed}.txt").write_bytes(ran.stdout + ran.stderr)
    return ran.returncode == 0


def _tell(state: dict[str, dict[str, int]]) -> None:
    rows = ["| what | done | goal | batches that failed |", "|---|---|---|---|"]
    for part in PARTS:
        counts = state[part.what]
        rows.append(f"| {part.what} | {counts['done']:,} | {part.goal:,} | {counts['failed']} |")
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    told = f"Done by {date} on {os.cpu_count()} cores, {platform.system()} {platform.release()}."
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}\n\n" + "\n".join([*rows, "", told]) + f"\n\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())

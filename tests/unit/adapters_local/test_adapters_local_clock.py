"""The clock of what runs: it goes on when the wall clock is set, over a restart too, and gives way after a reboot."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from penstock.adapters.local.clock import SteadyClock

YEAR = 365 * 86400.0


@dataclass
class Machine:
    """Clocks that a test moves; `boot` names the boot."""

    file: Path
    wall: float = 1_700_000_000.0
    up: float = 50.0
    boot: str = "first"

    def clock(self) -> SteadyClock:
        return SteadyClock(self.file, wall=lambda: self.wall, running=lambda: self.up, boot=lambda: self.boot)

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.up += seconds


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "clock")


@pytest.mark.parametrize("jump", [3600.0, -3600.0, YEAR, -YEAR])
def test_a_wall_clock_that_is_set_changes_nothing(machine: Machine, jump: float) -> None:
    clock = machine.clock()
    start = clock.now()
    assert start == machine.wall
    machine.passes(10)
    machine.wall += jump
    assert clock.now() == start + 10
    machine.passes(10)
    restarted = machine.clock()
    assert restarted.now() == start + 20
    assert restarted.of_wall(machine.wall - 5) == start + 15
    assert restarted.of_wall(machine.wall + 5) == start + 20


@pytest.mark.parametrize("jump", [3600.0, -YEAR])
def test_while_nothing_runs_the_wall_clock_counts(machine: Machine, jump: float) -> None:
    clock = machine.clock()
    clock.now()
    machine.wall += jump
    clock.agree()
    assert clock.now() == machine.wall
    assert machine.clock().now() == machine.wall


def test_after_a_reboot_the_wall_clock_counts_and_the_downtime(machine: Machine) -> None:
    start = machine.clock().now()
    machine.wall, machine.up, machine.boot = start + 500, 3.0, "second"
    clock = machine.clock()
    assert clock.now() == start + 500
    clock.agree(start + 400)
    assert clock.now() == start + 500


def test_a_wall_clock_that_lost_its_time_over_a_reboot_does_not_go_back(machine: Machine) -> None:
    start = machine.clock().now()
    machine.wall, machine.up, machine.boot = start - YEAR, 3.0, "second"
    clock = machine.clock()
    clock.agree(start + 400)
    assert clock.now() == start + 400
    machine.passes(10)
    assert clock.now() == start + 410


def test_what_differs_by_less_than_a_second_is_left_alone(machine: Machine) -> None:
    clock = machine.clock()
    start = clock.now()
    machine.wall += 0.5
    clock.agree()
    assert clock.now() == start
    assert clock.of_wall(machine.wall) == machine.wall


def test_a_file_that_cannot_be_read_is_made_again(machine: Machine) -> None:
    machine.file.write_text("no anchor")
    machine.wall += YEAR
    assert machine.clock().now() == machine.wall
    machine.wall += YEAR
    assert machine.clock().now() == machine.wall - YEAR

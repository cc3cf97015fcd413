"""Adapters in memory, a launcher that plays, a clock that tests move, and the contract suites that adapters pass.

The suites (`records_contract`, `objects_contract`, `launcher_contract`) need pytest and are imported by tests only.
"""

from penstock.testing.acting import Act
from penstock.testing.clock import FakeClock
from penstock.testing.launcher import FakeLauncher
from penstock.testing.objects import MemoryObjects
from penstock.testing.records import MemoryRecords

__all__ = ["Act", "FakeClock", "FakeLauncher", "MemoryObjects", "MemoryRecords"]

"""One suite for every store of objects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.objects import LocalObjects
from penstock.ports import Objects
from penstock.testing import MemoryObjects
from penstock.testing.objects_contract import ObjectsContract


class TestMemoryObjects(ObjectsContract):
    @pytest.fixture
    def objects(self) -> Objects:
        return MemoryObjects()


class TestLocalObjects(ObjectsContract):
    @pytest.fixture
    def objects(self, tmp_path: Path) -> Iterator[Objects]:
        store = LocalObjects(tmp_path / "a home" / "objects")
        yield store
        store.close()

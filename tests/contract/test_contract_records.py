"""One suite for every store of records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.adapters.sql import open_records
from penstock.ports import Records
from penstock.testing import MemoryRecords
from penstock.testing.records_contract import RecordsContract


class TestMemoryRecords(RecordsContract):
    @pytest.fixture
    def records(self) -> Records:
        return MemoryRecords()


class TestSqliteRecords(RecordsContract):
    @pytest.fixture
    def records(self, tmp_path: Path) -> Iterator[Records]:
        store = open_records(tmp_path / "a home%20?#" / "penstock.db")
        yield store
        store.close()


class TestPostgresqlRecords(RecordsContract):
    @pytest.fixture
    def records(self, postgresql_url: str) -> Iterator[Records]:
        store = open_records(postgresql_url)
        yield store
        store.close()

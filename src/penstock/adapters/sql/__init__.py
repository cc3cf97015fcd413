"""Records in a relational database: SQLite by default, PostgreSQL through the same statements."""

from penstock.adapters.sql.setup import upgrade
from penstock.adapters.sql.store import SqlRecords, open_records

__all__ = ["SqlRecords", "open_records", "upgrade"]

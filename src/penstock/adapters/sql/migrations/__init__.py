"""The schema's history, one file a revision, for Alembic."""

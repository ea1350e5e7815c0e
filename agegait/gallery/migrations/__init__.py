"""Brings a gallery's tables to the newest version, by Alembic."""

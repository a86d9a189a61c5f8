"""What a database means when it refuses a row."""

import sqlite3

from sqlalchemy.exc import IntegrityError

_UNIQUE_SQLSTATE = "23505"
_UNIQUE_CODES = frozenset({sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY})


def is_taken(error: Exception) -> bool:
    """Return whether a row was refused because another one has its key."""
    if not isinstance(error, IntegrityError):
        return False
    refusal = error.orig
    if isinstance(refusal, sqlite3.Error):
        return refusal.sqlite_errorcode in _UNIQUE_CODES
    return getattr(refusal, "sqlstate", None) == _UNIQUE_SQLSTATE

"""Boxes at the door: each has a token of its own."""

from central.auth.tokens import fits
from central.db.engine import Database
from central.db.models import Box


class BoxRegister:
    """Knows the boxes' tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def admits(self, box_id: str, token: str) -> bool:
        """Return whether ``token`` is the one of this box."""
        with self._database.read() as session:
            box = session.get(Box, box_id)
        return box is not None and fits(token, box.token_sha256)

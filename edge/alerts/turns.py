"""Whose turn it is: the pieces that wait in the table, in the order they are sent."""

from datetime import datetime

from edge.alerts.evidence_store import EvidenceStore
from edge.alerts.order import first, may_overtake
from edge.alerts.piece import Piece
from protocol.messages import EvidenceKind


class Turns:
    """Chooses the next piece of each kind by the rules of :mod:`edge.alerts.order`.

    A turn is one request that carries bytes, so shares are shares of the link. Each kind is asked
    for by one thread.
    """

    def __init__(self, store: EvidenceStore) -> None:
        self._store = store
        self._had = dict.fromkeys(EvidenceKind, 0)
        self._pictures_since_clip = 0

    def next(self, kind: EvidenceKind, now: datetime) -> Piece | None:
        """Return the piece of ``kind`` that may be sent now, if any. Raises StorageError."""
        piece = self._next(kind, now)
        if piece is None or kind is EvidenceKind.SNAPSHOT:
            return piece
        picture = self._next(EvidenceKind.SNAPSHOT, now)
        if picture is None or may_overtake(piece, picture, now, self._pictures_since_clip):
            return piece
        return None

    def had(self, kind: EvidenceKind) -> None:
        """Count a turn."""
        self._had[kind] += 1
        if kind is EvidenceKind.SNAPSHOT:
            self._pictures_since_clip += 1
        else:
            self._pictures_since_clip = 0

    def _next(self, kind: EvidenceKind, now: datetime) -> Piece | None:
        return first(self._store.foremost(kind, now), now, self._had[kind])

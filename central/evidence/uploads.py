"""What boxes are sending just now."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from anyio import CancelScope

from central.errors import StoreUnavailableError
from central.evidence.store import Piece
from protocol.messages import EvidenceKind


class Uploads:
    """At most one upload of a piece at a time; used in one event loop.

    A box sends a piece once at a time. Where it begins anew the older upload hangs on a connection
    that is gone and has not been missed yet: the newer one takes over.
    """

    def __init__(self) -> None:
        self._scopes: dict[tuple[str, UUID, EvidenceKind], CancelScope] = {}

    @contextmanager
    def only(self, piece: Piece) -> Iterator[None]:
        """Receive a piece inside the block. Raises StoreUnavailableError once taken over."""
        key = (piece.box_id, piece.alert_id, piece.kind)
        if older := self._scopes.get(key):
            older.cancel()
        with CancelScope() as scope:
            self._scopes[key] = scope
            try:
                yield
            finally:
                if self._scopes.get(key) is scope:
                    del self._scopes[key]
        if scope.cancelled_caught:
            raise StoreUnavailableError("evidence: a newer upload of this piece took over")

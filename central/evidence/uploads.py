"""What boxes are sending just now."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from anyio import CancelScope, CapacityLimiter, Event

from central.errors import StoreUnavailableError
from central.evidence.store import Piece
from protocol.messages import EvidenceKind

#: Pieces that are handed to the storage at once.
_STORED_AT_ONCE = 8


@dataclass(slots=True)
class _Upload:
    scope: CancelScope = field(default_factory=CancelScope)
    ended: Event = field(default_factory=Event)


class Uploads:
    """At most one upload of a piece at a time; used in one event loop.

    A box sends a piece once at a time. Where it begins anew the older upload hangs on a connection
    that is gone and has not been missed yet: the newer one takes over, with what the older one
    has written. One of which no byte comes for ``idle_s`` ends as well, so that the lock on its
    file does not keep another replica from going on.
    """

    def __init__(self, idle_s: float = 30.0) -> None:
        self.idle_s = idle_s
        #: Who may wait for the storage at once, so that one that hangs does not hold every thread.
        self.storing = CapacityLimiter(_STORED_AT_ONCE)
        self._under_way: dict[tuple[str, UUID, EvidenceKind], _Upload] = {}

    @asynccontextmanager
    async def only(self, piece: Piece) -> AsyncIterator[None]:
        """Receive a piece inside the block. Raises StoreUnavailableError once taken over."""
        key = (piece.box_id, piece.alert_id, piece.kind)
        while (older := self._under_way.get(key)) is not None:
            older.scope.cancel()
            await older.ended.wait()
        upload = self._under_way[key] = _Upload()
        try:
            with upload.scope:
                yield
        finally:
            del self._under_way[key]
            upload.ended.set()
        if upload.scope.cancelled_caught:
            raise StoreUnavailableError("evidence: a newer upload of this piece took over")

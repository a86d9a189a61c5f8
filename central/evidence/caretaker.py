"""Files that no row vouches for: a centre that died between a file and its row left them."""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select

from central.db.engine import Database
from central.db.models import Evidence
from central.evidence.leftover import may_be_removed
from central.evidence.naming import is_key
from central.evidence.storage import EvidenceStorage, Kept, Storages, in_batches
from central.periodic import PeriodicWorker
from protocol.clock import Clock

log = logging.getLogger(__name__)

_EVERY_S = 30.0
_SWEEP_EVERY_NS = 24 * 3600 * 1_000_000_000
#: Younger ones may still get their row. Long, so that a database that was put back as it was some
#: days ago does not cost the evidence that came since.
_KEEP = timedelta(days=30)
#: Keys a statement: far below the limit on variables of both databases.
_BATCH = 500


class EvidenceCaretaker:
    """Asks every 30 s whether the storage works, and sweeps once a day, in a thread of its own."""

    def __init__(self, database: Database, clock: Clock, storages: Storages) -> None:
        self._database = database
        self._clock = clock
        self._storages = storages
        self._worker = PeriodicWorker("evidence", _EVERY_S, self.look)
        self._swept_ns: int | None = None

    def start(self) -> None:
        """Begin to look."""
        self._worker.start()

    def close(self) -> None:
        """Stop and wait; may be called again."""
        self._worker.close()

    def look(self) -> None:
        """Look once. Raises EvidenceAwayError, StoreUnavailableError."""
        self._storages.newest.probe()
        now_ns = self._clock.monotonic_ns()
        if self._swept_ns is None or now_ns - self._swept_ns >= _SWEEP_EVERY_NS:
            self._swept_ns = now_ns
            for place, storage in self._storages.by_place.items():
                if gone := self.sweep(storage):
                    log.info("evidence.orphans_removed", extra={"place": place, "files": gone})

    def sweep(self, storage: EvidenceStorage) -> int:
        """Remove what no row has named for 30 days; return how many files went.

        A file whose row names it at another place stays: it is being moved. What is not named as
        a piece is stays, too: it is not ours. Raises as look does.
        """
        before = self._clock.now() - _KEEP
        storage.end_unfinished(before)
        unvouched, files = [], 0
        pieces = (kept for kept in storage.kept() if is_key(kept.key))
        for some in in_batches(pieces, _BATCH):
            files += len(some)
            unvouched += [kept.key for kept in self._unvouched(some) if kept.since < before]
        if not may_be_removed(len(unvouched), files):
            log.error("evidence.orphans_kept", extra={"unvouched": len(unvouched), "files": files})
            return 0
        for key in unvouched:
            storage.delete(key)
        return len(unvouched)

    def _unvouched(self, some: Sequence[Kept]) -> list[Kept]:
        keys = [kept.key for kept in some]
        with self._database.read() as session:
            vouched = set(session.scalars(select(Evidence.path).where(Evidence.path.in_(keys))))
        return [kept for kept in some if kept.key not in vouched]

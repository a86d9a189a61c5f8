"""Evidence that is no longer needed: its rows forgotten, its files removed."""

from datetime import datetime, timedelta
from pathlib import Path

from edge.alerts.evidence_store import EvidenceStore
from edge.alerts.piece import file_name
from protocol.clock import Clock

#: A file that begins so is being written.
DRAFT = "draft."
_NS_PER_S = 1_000_000_000
_EVERY_NS = 3600 * _NS_PER_S
#: Nothing is forgotten by a wall clock that has not gone with the monotonic one for so long: a day
#: ahead, it would forget a day's evidence too early.
STEADY_NS = 3600 * _NS_PER_S
_MAX_STEP = timedelta(minutes=1)


class Tidier:
    """Forgets what is past ``keep`` and removes files that no row speaks of, once an hour.

    Where pieces are uploaded, one that still waits for that is never forgotten. Not thread-safe.
    """

    def __init__(
        self, store: EvidenceStore, folder: Path, clock: Clock, keep: timedelta, *, uploads: bool
    ) -> None:
        self._store = store
        self._folder = folder
        self._clock = clock
        self._keep = keep
        self._uploads = uploads
        self._swept_ns: int | None = None
        self._lead: datetime | None = None
        self._steady_from_ns = 0

    def sweep(self) -> None:
        """Tidy up if it is time to. Raises StorageError and OSError."""
        now, mono_ns = self._clock.now(), self._clock.monotonic_ns()
        is_steady = self._is_steady(now, mono_ns)
        if self._swept_ns is not None and mono_ns - self._swept_ns < _EVERY_NS:
            return
        self._swept_ns = mono_ns
        if is_steady:
            self._store.forget(now - self._keep, waiting=not self._uploads)
        # The files first: a row is there before its file.
        files = [file for file in self._folder.iterdir() if not file.name.startswith(DRAFT)]
        wanted = {file_name(alert_id, kind) for alert_id, kind in self._store.wanted()}
        for file in files:
            if file.name not in wanted:
                file.unlink(missing_ok=True)

    def _is_steady(self, now: datetime, mono_ns: int) -> bool:
        """Say whether the wall clock has gone with the monotonic one for STEADY_NS."""
        lead = now - timedelta(microseconds=mono_ns // 1000)
        if self._lead is None or abs(lead - self._lead) > _MAX_STEP:
            self._lead, self._steady_from_ns = lead, mono_ns
        return mono_ns - self._steady_from_ns >= STEADY_NS

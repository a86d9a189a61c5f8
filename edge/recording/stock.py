"""How full the recordings' disk is, what takes it, and for how long it will do."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from edge.db.database import Database
from edge.recording import usage
from edge.recording.forecast import Forecast, Usage, forecast
from edge.recording.index import RecordingIndex
from edge.recording.retention import Disk, Policy
from edge.recording.usage import DeletionRecord
from protocol.clock import Clock
from protocol.relay import StreamName

#: The forecast adds up a day of every camera: it is made anew after so long.
FRESH_NS = 600_000_000_000
DELETIONS = 100


@dataclass(frozen=True, slots=True)
class Stock:
    """The whole at one moment; ``earliest`` is each camera's oldest footage."""

    at: datetime
    disk: Disk
    usages: tuple[Usage, ...]
    forecast: Forecast
    earliest: dict[str, datetime]
    held_bytes: int
    deletions: tuple[DeletionRecord, ...]


class Stocktaker:
    """Takes stock of what is recorded. Any thread may ask; ``cameras`` are the configured ones."""

    def __init__(
        self,
        database: Database,
        index: RecordingIndex,
        disk: Callable[[], Disk],
        policy: Policy,
        cameras: Sequence[str],
        clock: Clock,
    ) -> None:
        self._database = database
        self._index = index
        self._disk = disk
        self._policy = policy
        self._cameras = tuple(cameras)
        self._clock = clock
        self._lock = threading.Lock()
        self._made_ns = 0
        self._made: tuple[tuple[Usage, ...], Forecast] | None = None

    @property
    def policy(self) -> Policy:
        """How much may be kept, and how long."""
        return self._policy

    def forecast(self) -> Forecast:
        """Return how long the disk will do, as of the last ten minutes.

        Raises StorageError and OSError.
        """
        return self._forecast()[1]

    def take(self) -> Stock:
        """Return all of it. Blocks for some queries. Raises StorageError and OSError."""
        now = self._clock.now()
        usages, made = self._forecast()
        known = [each.camera_id for each in usages]
        earliest = {name: self._index.earliest(name, StreamName.MAIN) for name in known}
        with self._database.reading() as connection:
            held = usage.held_bytes(connection, now)
            deletions = usage.deletions(connection, DELETIONS)
        return Stock(
            now,
            self._disk(),
            usages,
            made,
            {name: at for name, at in earliest.items() if at is not None},
            held,
            tuple(deletions),
        )

    def _forecast(self) -> tuple[tuple[Usage, ...], Forecast]:
        with self._lock:
            now_ns = self._clock.monotonic_ns()
            if self._made is None or now_ns - self._made_ns >= FRESH_NS:
                # Those that are not configured any more still take room.
                strange = sorted(self._index.cameras() - set(self._cameras))
                with self._database.reading() as connection:
                    usages = usage.usages(
                        connection, (*self._cameras, *strange), self._policy, self._clock.now()
                    )
                self._made = tuple(usages), forecast(usages, self._disk(), self._policy)
                self._made_ns = now_ns
            return self._made

"""What the rules counted, kept for weeks in the box's database; counts only (alert I10)."""

import logging
import sqlite3
import threading
from collections import deque
from datetime import datetime, timedelta

from edge.crowds.quarter import Quarter, Tally, unpacked
from edge.db.database import Database
from edge.db.instant import from_us, to_us
from edge.errors import StorageError
from edge.health import Component, Condition, Figure
from protocol.clock import Clock

log = logging.getLogger(__name__)

KEPT = timedelta(days=35)
#: Quarters that wait for a disk that refuses: of 32 rules and regions for four hours.
MAX_WAITING = 512
TICK_S = 30.0
#: Counts of a quarter may come so late; then it is written down though nobody looks any more.
_LATE = timedelta(minutes=1)
_NS_PER_S = 1_000_000_000
_PRUNE_EVERY_NS = 3600 * _NS_PER_S
#: Nothing is pruned by a wall clock that did not go with the monotonic one in between.
_MAX_STEP = timedelta(minutes=1)

#: Camera, rule and region.
Key = tuple[str, str, str]


class CrowdHistory:
    """Takes counts from the rules at once, and writes each quarter of an hour down when it is over.

    ``counted`` may be called from any thread and waits for no disk: one thread of its own writes, a
    row a quarter for each rule and region. A crash costs the quarter that is under way. Quarters
    that the disk refuses wait, the oldest go first where there are too many, and that is counted.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._tallies: dict[Key, Tally] = {}
        self._waiting: deque[tuple[Key, Quarter]] = deque()
        self._dropped = 0
        self._pruned: tuple[datetime, int] | None = None  # when, by both clocks
        self._news = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowds", daemon=True)

    def start(self) -> None:
        """Begin to write; returns at once."""
        self._thread.start()

    def close(self) -> None:
        """Write down what was counted so far and stop. Idempotent."""
        self._stopping.set()
        self._news.set()
        if self._thread.is_alive():
            self._thread.join()

    def counted(
        self, camera_id: str, rule_id: str, region_id: str, at: datetime, count: int
    ) -> None:
        """Take how many people a rule counted in a region at one look; returns at once."""
        key = (camera_id, rule_id, region_id)
        with self._lock:
            tally = self._tallies.get(key)
            if tally is None:
                tally = self._tallies[key] = Tally()
            ended = tally.add(at, count)
            if ended is not None:
                self._wait(key, ended)

    def quarters(self, key: Key, now: datetime) -> list[Quarter]:
        """Return the quarters of the last KEPT that are written down, oldest first.

        Raises StorageError.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "select start_us, peak, minutes from crowd where camera_id = ? and rule_id = ? "
                "and region_id = ? and start_us between ? and ? order by start_us",
                (*key, to_us(now - KEPT), to_us(now)),
            ).fetchall()
        return [unpacked(from_us(start_us), peak, minutes) for start_us, peak, minutes in rows]

    def component(self) -> Component:
        """Return how the writing is, for the health board."""
        with self._lock:
            figures: dict[str, Figure] = {"waiting": len(self._waiting), "dropped": self._dropped}
            is_well = not self._dropped
        return Component(Condition.OK if is_well else Condition.DEGRADED, None, figures)

    # -- the thread that writes --------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._news.wait(TICK_S)
            self._news.clear()
            try:
                self.tick()
            except StorageError as error:
                log.warning("crowds.unwritten", extra={"error": str(error)})
                self._stopping.wait(TICK_S)
        self._finish()

    def tick(self) -> None:
        """Write down what is over, and forget what is too old. Raises StorageError.

        The own thread calls it, every TICK_S and whenever a quarter is over.
        """
        now = self._clock.now()
        with self._lock:
            for key, tally in self._tallies.items():
                if tally.end is not None and now >= tally.end + _LATE:
                    self._close(key, tally)
        self._write()
        self._prune(now, self._clock.monotonic_ns())

    def _finish(self) -> None:
        with self._lock:
            for key, tally in self._tallies.items():
                self._close(key, tally)
        try:
            self._write()
        except StorageError as error:
            log.warning("crowds.unwritten", extra={"error": str(error)})

    def _close(self, key: Key, tally: Tally) -> None:
        quarter = tally.close()
        if quarter is not None:
            self._wait(key, quarter)

    def _wait(self, key: Key, quarter: Quarter) -> None:
        """Queue for the thread; with the lock held."""
        if len(self._waiting) >= MAX_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._waiting.append((key, quarter))
        self._news.set()

    def _write(self) -> None:
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
        if not waiting:
            return
        try:
            with self._database.transaction() as connection:
                for key, quarter in waiting:
                    _put(connection, key, quarter)
        except StorageError:
            with self._lock:
                while waiting and len(self._waiting) < MAX_WAITING:
                    self._waiting.appendleft(waiting.pop())
                self._dropped += len(waiting)
            raise

    def _prune(self, now: datetime, mono_ns: int) -> None:
        if self._pruned is None:
            self._pruned = now, mono_ns
            return
        since, since_ns = self._pruned
        passed_ns = mono_ns - since_ns
        if passed_ns < _PRUNE_EVERY_NS:
            return
        self._pruned = now, mono_ns
        if abs(now - since - timedelta(microseconds=passed_ns // 1000)) > _MAX_STEP:
            return  # the clock was set: which of its times is right is not known yet
        with self._database.transaction() as connection:
            connection.execute("delete from crowd where start_us < ?", (to_us(now - KEPT),))


def _put(connection: sqlite3.Connection, key: Key, quarter: Quarter) -> None:
    """Write a quarter down, together with what is there of it."""
    at = (*key, to_us(quarter.start))
    row = connection.execute(
        "select peak, minutes from crowd where camera_id = ? and rule_id = ? "
        "and region_id = ? and start_us = ?",
        at,
    ).fetchone()
    whole = quarter if row is None else quarter.with_other(unpacked(quarter.start, *row))
    connection.execute(
        "insert or replace into crowd (camera_id, rule_id, region_id, start_us, peak, minutes) "
        "values (?, ?, ?, ?, ?, ?)",
        (*at, whole.peak, whole.packed()),
    )

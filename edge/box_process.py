"""The box's process: a station that records throughout, and one Edge after another around it."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol

from edge.app import Edge
from edge.boot import Boot
from edge.enrolment.enroller import Enroller
from edge.enrolment.errand import Space
from edge.enrolment.room import space_for_one_more
from edge.errors import DamagedError, EdgeError, StorageError
from edge.faultlog import FaultLog
from edge.recording.claim import Claim
from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, Effective
from edge.settings.probation import Probation
from edge.settings.store import SettingsStore
from edge.settings.trial import Ending, Pace, Signs, Trial, names
from edge.settings.version import Version
from edge.station import Station
from protocol.clock import Clock
from protocol.notify import ServiceNotifier

log = logging.getLogger(__name__)

#: Well inside the unit's watchdog of 30 s.
_WATCHDOG_S = 5.0
#: How often it is looked whether the settings were changed.
_LOOK_EVERY_S = 0.5
_NS_PER_S = 1_000_000_000


class RunsUntil(Protocol):
    """All of the box but its station: see Edge."""

    async def run(self, until: Callable[[], Awaitable[None]]) -> None:
        """Run until ``until`` is over."""

    def hears(self) -> bool:
        """Return whether the centre was heard since the start, or there is none; at once."""


class BoxProcess:
    """Runs the box by its file and what was changed since, and takes further changes as they come.

    ::

        changed ─▶ the Edge ends ─▶ the station takes the difference ─▶ a new Edge
                                        │ raises                          │ can't start
                                        └────────▶ undone (Probation) ◀───┘

    Cameras that a change does not concern are recorded without a pause. The data folder is this
    process's alone from the beginning on: raises StorageError where another box has it.
    """

    def __init__(
        self,
        file: ConfigFile,
        clock: Clock,
        *,
        new_edge: Callable[..., RunsUntil] = Edge,
        pace: Pace | None = None,
    ) -> None:
        self._clock = clock
        self._new_edge = new_edge
        self._pace = pace or Pace()
        self._faults = FaultLog(log, clock)
        self._notifier = ServiceNotifier()
        file.config.check_place()
        file.config.box.data_dir.mkdir(parents=True, exist_ok=True)
        claim = Claim(file.config.box.data_dir)
        claim.take()
        self._store = SettingsStore.of(file.config, clock)
        self._probation = Probation(file, self._store)
        self._runs = self._probation.begin()
        self._next: Effective | None = None
        self._is_ready = False
        self._desk = SettingsDesk(file, self._store, self._runs)
        self._took(self._runs)
        self.station = Station(self._runs.config, clock, claim)
        self._enroller = Enroller(self._desk, self.station.index.cameras, self._space, clock)

    def start(self) -> None:
        """Record from now on; see Station.start."""
        self.station.start()

    async def run(self, stopping: asyncio.Event) -> None:
        """Do everything else until ``stopping`` is set, then stop all in order and return.

        Raises ConfigError where the HTTP port is taken or a secret is missing, and DamagedError
        once the database was found damaged: to start again is what mends it.
        """
        config, database = self._runs.config, self.station.database
        feeding = asyncio.create_task(self._feed_watchdog(), name="watchdog")
        try:
            with contextlib.closing(Boot.now(config.http, self._enroller, self._clock)) as boot:
                await self._one_after_another(stopping, boot)
        finally:
            feeding.cancel()
            # Whatever this is: it ends in order, and so by no fault of what was changed.
            await asyncio.to_thread(self._probation.leave)
            await asyncio.to_thread(self._enroller.close)
            # The web and the bus have stopped before the recorders close their files; the database
            # is closed after everyone who writes to it.
            await asyncio.to_thread(self.station.close)
            database.close()
        log.info("edge.stopped", extra={"box_id": config.box.id})
        if database.damage is not None:
            raise DamagedError(f"{database.path}: {database.damage}")

    async def _one_after_another(self, stopping: asyncio.Event, boot: Boot) -> None:
        while not self._is_over(stopping):
            config, self._next, self._is_ready = self._runs.config, None, False
            edge = self._new_edge(config, self.station, self._desk, boot, self._clock)
            try:
                await edge.run(partial(self._until, stopping, edge))
            except Exception as error:
                if self._is_ready or not self._probation.is_tried(self._runs.version):
                    raise
                await self._go_back(self._runs, error)
            if self._next is not None:
                await self._take(self._next)

    def _space(self) -> Space:
        return space_for_one_more(self._runs.config, self.station.index.size_bytes())

    def _is_over(self, stopping: asyncio.Event) -> bool:
        return stopping.is_set() or self.station.database.damage is not None

    async def _until(self, stopping: asyncio.Event, edge: RunsUntil) -> None:
        """Return when it is time to stop, or when there is something to take."""
        self._is_ready = True
        self._notifier.ready()
        since_ns, version = self._clock.monotonic_ns(), self._runs.version
        trial = self._probation.trial(version)
        while not self._is_over(stopping):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), _LOOK_EVERY_S)
            lived_s = (self._clock.monotonic_ns() - since_ns) / _NS_PER_S
            if trial is not None:
                trial = trial.look(self._signs(edge), lived_s, self._pace)
                if trial.ending is Ending.TAKEN_BACK:
                    self._next = await asyncio.to_thread(self._probation.undo, version, trial.why)
                    return
                trial = await asyncio.to_thread(self._kept, trial, version)
            if self._is_changed():
                self._next = await asyncio.to_thread(self._probation.take)
                return
        self._notifier.stopping()

    def _signs(self, edge: RunsUntil) -> Signs:
        wanted, live = names(self.station.pulled), names(self.station.streams.live())
        return Signs(hears=edge.hears(), wanted=wanted, live=live)

    def _kept(self, trial: Trial, version: Version) -> Trial | None:
        """Note that a version holds, where it does; return what is still to be looked at.

        What the disk refused to note is noted once it takes it.
        """
        if trial.ending is not Ending.KEPT:
            return trial
        self._probation.accept(version)
        return trial if self._probation.is_tried(version) else None

    def _is_changed(self) -> bool:
        try:
            return self._store.highest() > self._runs.seen
        except StorageError as error:
            self._faults.report("settings.not_read", str(error), {})
            return False

    async def _take(self, runs: Effective) -> None:
        try:
            await asyncio.to_thread(self.station.apply, runs.config)
        except Exception as error:  # noqa: BLE001 - whatever it is, the version before had it not
            await self._go_back(runs, error)
        else:
            self._took(runs)

    async def _go_back(self, tried: Effective, error: Exception) -> None:
        """Undo what could not be started, whatever of it has begun."""
        extra = {"version": tried.version.number, "error": repr(error)}
        log.error("settings.not_started", extra=extra, exc_info=error)
        why = str(error) if isinstance(error, EdgeError) else type(error).__name__
        back = await asyncio.to_thread(self._probation.undo, tried.version, why)
        await asyncio.to_thread(self.station.apply, back.config)
        self._took(back)

    def _took(self, runs: Effective) -> None:
        self._runs = runs
        self._desk.took(runs)
        if runs.trouble is not None:
            log.error("settings.not_used", extra={"trouble": runs.trouble})
        if runs.seen:
            log.info("settings.taken", extra={"version": runs.version.number})

    async def _feed_watchdog(self) -> None:
        """Feed it for as long as the event loop turns: a stuck event loop is a stuck box."""
        while True:
            self._notifier.alive()
            await asyncio.sleep(_WATCHDOG_S)

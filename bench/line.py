"""The whole line at work: the village runs, somebody stands at its wall, all of it is noted."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bench.browser import Browser
from bench.centre import Alert, Centre, CentreError
from bench.kills import Kill, Victim
from bench.watchman import Watchman
from protocol.clock import Clock

log = logging.getLogger(__name__)

#: How often the wall and the centre are looked at. Two cores serve everything: not oftener.
TICK_S = 0.4


@dataclass(frozen=True, slots=True)
class Killed:
    """A kill that was done: when, and how many processes it hit."""

    victim: Victim
    at: datetime
    processes: int


@dataclass(slots=True)
class Line:
    """Watches, signs and kills until a given time. ``pids`` tells where a part runs now.

    While parts are being killed the centre may be away: what it does not answer is asked again.
    """

    centre: Centre
    browser: Browser
    watchman: Watchman
    pids: Callable[[Victim], Sequence[int]]
    clock: Clock
    alerts: dict[str, Alert] = field(default_factory=dict)
    killed: list[Killed] = field(default_factory=list)
    unanswered: int = 0
    _pause: threading.Event = field(default_factory=threading.Event)

    def until(self, end: datetime, kills: Sequence[Kill] = ()) -> None:
        """Go on until ``end``; do the kills when they are due."""
        waiting = [kill for kill in kills if kill.at > self.clock.now()]
        while (now := self.clock.now()) < end:
            while waiting and waiting[0].at <= now:
                self._kill(waiting.pop(0))
            self.look()
            self._pause.wait(TICK_S)

    def until_true(self, done: Callable[[], bool], limit: datetime) -> bool:
        """Go on until ``done`` says so; return whether it did before ``limit``."""
        while not done():
            if self.clock.now() >= limit:
                return False
            self.look()
            self._pause.wait(TICK_S)
        return True

    def look(self) -> None:
        """Note the alerts as they are and let the watchman do a step."""
        try:
            self.alerts = {alert.alert_id: alert for alert in self.centre.alerts()}
        except CentreError as error:
            self.unanswered += 1
            log.info("centre.unanswered", extra={"error": str(error)})
            return
        self.watchman.look({alert_id: alert.state for alert_id, alert in self.alerts.items()})

    def _kill(self, kill: Kill) -> None:
        hit = 0
        at = self.clock.now()
        for pid in self.pids(kill.victim):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
            hit += 1
        self.killed.append(Killed(kill.victim, at, hit))
        print(f"  {at:%H:%M:%S} kill -9 {kill.victim} ({hit} processes)", flush=True)

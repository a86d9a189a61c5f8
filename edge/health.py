"""How the box is, in one object: every component says it of itself."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from edge.errors import EdgeError
from edge.faultlog import FaultLog
from edge.ports import StreamStatus
from protocol.clock import Clock
from protocol.messages import StreamState
from protocol.relay import StreamName

log = logging.getLogger(__name__)

#: A counter, a gauge or a word.
Figure = int | float | str | None


class Condition(StrEnum):
    """How well something works, best first."""

    OK = "ok"
    DEGRADED = "degraded"  # it works, but something is lost or late
    DOWN = "down"


@dataclass(frozen=True, slots=True)
class Component:
    """What one component says of itself; ``figures`` are its counters and queue sizes."""

    condition: Condition
    detail: str | None = None
    figures: Mapping[str, Figure] = field(default_factory=dict)


#: Asked whenever somebody wants to know: returns at once, from any thread.
Provider = Callable[[], Component]


@dataclass(frozen=True, slots=True)
class Health:
    """The whole box at one moment; ``condition`` is that of its worst component."""

    condition: Condition
    at: datetime
    started_at: datetime
    components: Mapping[str, Component]


class HealthBoard:
    """Where components are registered once and asked together. Thread-safe after registration.

    ``started_at`` is when the box's process began, where that was not just now.
    """

    def __init__(self, clock: Clock, started_at: datetime | None = None) -> None:
        self._clock = clock
        self._started_at = started_at or clock.now()
        self._providers: dict[str, Provider] = {}
        self._faults: dict[str, FaultLog] = {}

    def add(self, name: str, provider: Provider) -> None:
        """Register a component; each name once."""
        assert name not in self._providers, name
        self._providers[name] = provider
        self._faults[name] = FaultLog(log, self._clock)

    def health(self) -> Health:
        """Return how every component is. One that can't even say so is down."""
        components = {name: self._asked(name, ask) for name, ask in self._providers.items()}
        worst = max(
            (component.condition for component in components.values()),
            key=list(Condition).index,
            default=Condition.OK,
        )
        return Health(worst, self._clock.now(), self._started_at, components)

    def _asked(self, name: str, provider: Provider) -> Component:
        try:
            return provider()
        except (EdgeError, OSError) as error:
            self._faults[name].report("health.not_said", repr(error), {"component": name})
            return Component(Condition.DOWN, type(error).__name__)
        except Exception as error:  # noqa: BLE001 - a bug in one must not hide all others
            self._faults[name].bug("health.failed", error, {"component": name})
            return Component(Condition.DOWN, type(error).__name__)


#: When the newest sample of a stream was, or None; asked as often as a status is.
LastSample = Callable[[str, StreamName], datetime | None]


def _unknown(_camera_id: str, _stream: StreamName) -> None:
    return None


class StreamBoard:
    """A StatusListener that keeps every stream's newest state. Thread-safe.

    A status is made when the state changes; ``last_sample`` keeps its time of the last packet
    fresh in between.
    """

    def __init__(self, last_sample: LastSample = _unknown) -> None:
        self._last_sample = last_sample
        self._statuses: dict[tuple[str, StreamName], StreamStatus] = {}

    def stream_changed(self, status: StreamStatus) -> None:
        """Take a stream's new state; the promise of StatusListener."""
        self._statuses[status.camera_id, status.stream] = status

    def forget(self, camera_id: str, stream: StreamName) -> None:
        """Forget a stream that is no longer pulled, or is pulled anew; idempotent."""
        self._statuses.pop((camera_id, stream), None)

    def status(self, camera_id: str, stream: StreamName) -> StreamStatus | None:
        """Return a stream's newest state, or None where nothing was heard of it."""
        status = self._statuses.get((camera_id, stream))
        return None if status is None else self._fresh(status)

    def live(self) -> frozenset[tuple[str, StreamName]]:
        """Return the streams that come."""
        statuses = tuple(self._statuses.values())
        live = (each for each in statuses if each.state is StreamState.LIVE)
        return frozenset((each.camera_id, each.stream) for each in live)

    def statuses(self) -> list[StreamStatus]:
        """Return the newest state of every stream that said anything."""
        return [self._fresh(status) for status in tuple(self._statuses.values())]

    def _fresh(self, status: StreamStatus) -> StreamStatus:
        at = self._last_sample(status.camera_id, status.stream)
        if at is None or (status.last_packet_at is not None and at <= status.last_packet_at):
            return status
        return replace(status, last_packet_at=at)

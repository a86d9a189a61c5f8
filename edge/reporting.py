"""The part of the composition root that only a box with a centre has: the bus and the relay.

Imported where there is a centre alone: what MQTT, HTTP and the relay need costs 8 MB.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial

from edge import __version__
from edge.alerts.budget import Budget, Signs
from edge.alerts.desk import Desk
from edge.boot import Boot
from edge.bus.herald import Herald
from edge.bus.home import HomeAssistant
from edge.bus.limits import TIGHT_AT
from edge.bus.meter import LineMeter
from edge.bus.outbox import Outbox
from edge.bus.sender import LOOPBACK, Sender, Timing
from edge.commands.desk import CommandDesk
from edge.config import CentreSection, EdgeConfig
from edge.health import Component, Condition, Figure, HealthBoard
from edge.live.hubs import LiveHubs
from edge.outbox_watch import OutboxWatch
from edge.ports import StreamStatus
from edge.station import Station
from edge.uplink.client import Uplink, UplinkTarget
from edge.vitals import BoxVitals
from protocol.clock import Clock

_LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})


class Reporting:
    """Starts what talks to ``centre``, and leaves to ``stack`` and ``board`` to end and ask it."""

    def __init__(
        self,
        config: EdgeConfig,
        centre: CentreSection,
        station: Station,
        clock: Clock,
        stack: contextlib.AsyncExitStack,
        board: HealthBoard,
    ) -> None:
        self._config = config
        self._centre = centre
        self._station = station
        self._clock = clock
        self._stack = stack
        self._board = board
        self._meter = LineMeter(clock)
        self._sender: Sender | None = None
        self._home = HomeAssistant(config, __version__) if centre.home_assistant else None

    def start_bus(
        self,
        outbox: Outbox,
        commands: CommandDesk,
        vitals: BoxVitals,
        *,
        boot: Boot,
        evidence_pending: Callable[[], int],
    ) -> tuple[Callable[[], None], Budget]:
        """Start to send what the outbox holds; return what wakes it, and what evidence may take."""
        herald = Herald(
            self._config.box,
            self._clock,
            boot_id=boot.boot_id,
            software=__version__,
            started_at=boot.started_at,
            quality=boot.watch.quality,
            home=self._home,
        )
        sender = Sender(
            self._centre,
            outbox,
            herald,
            vitals,
            self._clock,
            evidence_pending=evidence_pending,
            timing=_timing(self._centre),
            meter=self._meter,
        )
        self._sender = sender
        sender.obey(commands)
        news = _CameraNews(sender)
        self._station.listen(news)
        self._stack.callback(self._station.unlisten, news)
        self._board.add("bus", partial(_bus_component, sender))
        sender.start()
        self._stack.push_async_callback(asyncio.to_thread, sender.close)
        signs = partial(_uplink_signs, sender, self._station.hubs)
        budget = Budget(signs, spent=self._meter.sent)
        self._meter.follow(lambda: budget.bytes_s)
        return sender.wake, budget

    def hears(self) -> bool:
        """Return whether the centre was heard since the bus was started; at once."""
        return self._sender is not None and self._sender.hears()

    def follow(self, desk: Desk, outbox: Outbox) -> None:
        """Tell Home Assistant of the desk's alerts, and the desk of an outbox that fills."""
        board = self._board
        if self._home is not None:
            self._home.follow(
                desk.open_alerts, lambda: board.health().condition is not Condition.OK
            )
        outbox_watch = OutboxWatch(outbox, desk, self._clock)
        outbox_watch.start()
        self._stack.push_async_callback(asyncio.to_thread, outbox_watch.close)

    async def start_uplink(self, edge_url: Callable[[], str]) -> None:
        """Dial the centre's relay; ``edge_url`` is the box's own interface."""
        centre = self._centre
        target = UplinkTarget(centre.http_url, self._config.box.id, centre.token.read())
        uplink = Uplink(target, self._station.hubs, edge_url, self._clock, sent=self._meter.sent)
        self._board.add("uplink", uplink.component)
        await uplink.start()
        self._stack.push_async_callback(uplink.aclose)


class _CameraNews:
    """A StatusListener that has the bus tell the centre of a camera that comes or goes."""

    def __init__(self, sender: Sender) -> None:
        self._sender = sender

    def stream_changed(self, _status: StreamStatus) -> None:
        """Wake the bus; it reads the states itself."""
        self._sender.cameras_changed()


def _uplink_signs(sender: Sender, hubs: LiveHubs) -> Signs:
    """Return how busy the uplink is; who watches at the box itself counts as well."""
    return Signs(sender.awaited_s(), sum(hub.viewers for hub in hubs.stats().values()))


def _timing(centre: CentreSection) -> Timing:
    """Return the bus's rhythm: a broker on this machine is tried again sooner."""
    return LOOPBACK if centre.mqtt_host in _LOOPBACK_HOSTS else Timing()


def _bus_component(sender: Sender) -> Component:
    status = sender.status()
    figures: dict[str, Figure] = {
        "since": status.since.isoformat(),
        "outbox_rows": status.waiting.rows,
        "outbox_bytes": status.waiting.size_bytes,
        "outbox_full": round(status.waiting.full, 3),
        "outbox_folded": status.waiting.folded,
        "outbox_untold": status.waiting.untold,
        "last_sequence": status.waiting.last_sequence,
        "sent": status.sent,
        "sent_again": status.sent_again,
        "receipted": status.receipted,
        "stray_receipts": status.stray_receipts,
        "commands": status.commands,
        "reopened": status.reopened,
        "refused": status.refused,
        "bad_messages": status.bad_messages,
    }
    filling = ""
    if status.waiting.full >= TIGHT_AT:
        filling = f"the outbox is {status.waiting.full:.0%} full"
    troubles = [each for each in (status.error, filling) if each]
    is_fine = status.connected and not filling
    condition = Condition.OK if is_fine else Condition.DEGRADED
    return Component(condition, "; ".join(troubles) or None, figures)

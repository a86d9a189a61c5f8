"""The bus: sends what waits in the outbox and says how the box is, for as long as the box runs."""

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from edge.bus.backoff import Backoff
from edge.bus.hearing import Hearing
from edge.bus.herald import Herald, Line
from edge.bus.link import Link, LinkSettings, Outgoing, Phase
from edge.bus.meter import LineMeter
from edge.bus.outbox import Load, Outbox
from edge.bus.window import Patience, Window
from edge.config import CentreSection
from edge.faultlog import FaultLog
from edge.ports import CommandTaker, VitalsSource
from protocol.clock import Clock
from protocol.ids import uuid7

log = logging.getLogger(__name__)

_NS = 1_000_000_000

#: How long receipted rows are kept for a look back.
KEEP_RECEIPTED = timedelta(days=7)
_PRUNE_EVERY_S = 3600.0


@dataclass(frozen=True, slots=True)
class Timing:
    """The bus's times. The defaults suit a 4G link; on loopback a shorter back-off is fine.

    ``silence_s``: connected, rows under way and no receipt for so long: connect anew, as the broker
    may have lost the subscription. ``state_gap_s`` bounds how often a flapping camera is told,
    ``epoch_gap_s`` how often a new epoch makes the box send again: several consumers have several.
    """

    reconnect: Backoff = field(default_factory=Backoff)
    patience: Patience = field(default_factory=Patience)
    keepalive_s: int = 20
    connect_timeout_s: float = 5.0
    ready_within_s: float = 15.0
    heartbeat_s: float = 60.0
    state_gap_s: float = 0.5
    epoch_gap_s: float = 2.0
    silence_s: float = 300.0


#: For a broker on the same machine: a restart costs no more than the restart itself.
LOOPBACK = Timing(reconnect=Backoff(first_s=0.2, cap_s=5.0))


@dataclass(frozen=True, slots=True)
class BusStatus:
    """The bus for the health page. ``error`` is why the last connection ended, if it did.

    ``commands`` the centre gave; ``reopened`` rows it asked to be sent again. ``refused`` messages
    the broker would not take, where it says so (MQTT 5).
    """

    connected: bool
    since: datetime
    error: str
    waiting: Load
    sent: int
    sent_again: int
    receipted: int
    stray_receipts: int
    commands: int
    reopened: int
    refused: int
    bad_messages: int


@dataclass(slots=True)
class _Counters:
    sent: int = 0
    sent_again: int = 0
    refused: int = 0


class Sender:
    """Keeps one connection to the broker and clears the outbox through it.

    One thread of its own does everything; :meth:`wake` and :meth:`cameras_changed` may be called
    from any thread, return at once and never wait for the disk or the network. A commit wakes it,
    so a row is under way within a millisecond or two.
    """

    def __init__(
        self,
        centre: CentreSection,
        outbox: Outbox,
        herald: Herald,
        vitals: VitalsSource,
        clock: Clock,
        *,
        evidence_pending: Callable[[], int] = lambda: 0,
        timing: Timing | None = None,
        meter: LineMeter | None = None,
    ) -> None:
        self._centre = centre
        self._outbox = outbox
        self._herald = herald
        self._vitals = vitals
        self._clock = clock
        self._evidence_pending = evidence_pending
        self._timing = timing or Timing()
        self._meter = meter or LineMeter(clock)
        self._window = Window(self._timing.patience)
        self._hearing = Hearing(
            herald,
            outbox,
            self._window,
            self._meter,
            clock,
            epoch_gap_s=self._timing.epoch_gap_s,
        )
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._cameras_changed = threading.Event()
        self._thread: threading.Thread | None = None
        self._settings: LinkSettings | None = None
        self._link: Link | None = None
        self._connection_id = uuid7(clock.now())
        self._refused_here = 0
        self._greeted = False
        self._is_discovered = False
        self._failures = 0
        self._error = ""
        self._since = clock.now()
        self._faults = FaultLog(log, clock)
        self._counters = _Counters()
        # Deadlines on the monotonic clock.
        self._retry_at_ns = 0
        self._give_up_at_ns = 0
        self._heartbeat_at_ns = 0
        self._state_at_ns = 0
        self._prune_at_ns = 0
        # Since when a receipt is awaited on this connection; read by other threads.
        self._awaited_ns: int | None = None

    def obey(self, commands: CommandTaker) -> None:
        """Have ``commands`` told of what the centre has the box do; before :meth:`start`."""
        self._hearing.commands = commands

    def start(self) -> None:
        """Read the token and begin. Raises ConfigError where the token can't be read."""
        if self._thread is not None:
            return
        self._settings = LinkSettings(
            host=self._centre.mqtt_host,
            port=self._centre.mqtt_port,
            tls=self._centre.mqtt_tls,
            version_5=self._centre.mqtt_version == "5",
            username=self._herald.box_id,
            password=self._centre.token.read(),
            keepalive_s=self._timing.keepalive_s,
            connect_timeout_s=self._timing.connect_timeout_s,
            ca_file=self._centre.mqtt_ca_file,
        )
        self._thread = threading.Thread(target=self._run, name="bus", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Say that the box goes, end the connection and wait for the thread; idempotent."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look at the outbox now: a row was committed."""
        self._wake.set()

    def cameras_changed(self) -> None:
        """Tell the centre how the cameras are now."""
        self._cameras_changed.set()
        self._wake.set()

    def awaited_s(self) -> float:
        """Return how long a receipt has been awaited that is owed on this connection, else 0.

        Returns at once, from any thread: a sign of how busy the uplink is.
        """
        since_ns = self._awaited_ns
        return 0.0 if since_ns is None else (self._clock.monotonic_ns() - since_ns) / _NS

    def hears(self) -> bool:
        """Return whether the centre has said anything since the start; at once, from any thread."""
        return self._hearing.has_heard

    def status(self) -> BusStatus:
        """Return the bus for the health page. Raises StorageError."""
        counters, heard = self._counters, self._hearing.counters
        return BusStatus(
            connected=self._greeted,
            since=self._since,
            error=self._error,
            waiting=self._outbox.load(),
            sent=counters.sent,
            sent_again=counters.sent_again,
            receipted=heard.receipted,
            stray_receipts=heard.stray_receipts,
            commands=heard.commands,
            reopened=heard.reopened,
            refused=counters.refused,
            bad_messages=heard.bad_messages,
        )

    # -- the bus's thread -------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._turn()
            except Exception as error:  # noqa: BLE001 - logged, but not at every turn
                # A refused disk or a broken source of vitals must not end the bus.
                self._faults.bug("bus.turn_failed", error, {})
                self._closing.wait(1.0)
                continue
            self._wake.wait(self._idle_s())
            self._wake.clear()
        if self._link is not None:
            self._link.close(self._herald.gone(self._connection_id))
            self._link = None
        self._greeted = False

    def _turn(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns >= self._prune_at_ns:
            self._prune_at_ns = now_ns + round(_PRUNE_EVERY_S * _NS)
            self._outbox.prune(KEEP_RECEIPTED)
        if self._link is None:
            if now_ns >= self._retry_at_ns:
                self._connect(now_ns)
            return
        phase = self._link.phase
        if phase is Phase.DOWN:
            self._drop(self._link.reason)
        elif phase is Phase.READY:
            self._serve(self._link, now_ns)
        elif now_ns >= self._give_up_at_ns:
            self._drop("the broker does not answer")

    def _connect(self, now_ns: int) -> None:
        assert self._settings is not None
        self._give_up_at_ns = now_ns + round(self._timing.ready_within_s * _NS)
        self._connection_id = uuid7(self._clock.now())
        will = self._herald.gone(self._connection_id)
        subscriptions = self._herald.subscriptions
        link = Link(self._settings, subscriptions, will, self._wake.set, self._meter)
        self._link = link
        self._refused_here = 0
        link.open()

    def _drop(self, reason: str) -> None:
        """Give the connection up and plan the next."""
        assert self._link is not None
        self._link.close()
        self._link = None
        self._failures += 1
        wait_s = self._timing.reconnect.after(self._failures, random.random())  # noqa: S311 - jitter
        self._retry_at_ns = self._clock.monotonic_ns() + round(wait_s * _NS)
        if self._greeted or reason != self._error:
            log.warning("bus.down", extra={"reason": reason, "retry_s": round(wait_s, 1)})
        if self._greeted:
            self._since = self._clock.now()
        self._greeted = False
        self._awaited_ns = None
        self._error = reason

    def _serve(self, link: Link, now_ns: int) -> None:
        if not self._greeted:
            self._greet(now_ns)
        for message in link.received():
            self._hearing.take(message, now_ns)
        self._count_refused(link)
        if self._hearing.is_to_begin_anew(now_ns):
            self._window.hurry()
            self._announce()
        self._hearing.settle(now_ns)
        self._send(link, now_ns)
        if self._cameras_changed.is_set() and now_ns >= self._state_at_ns:
            self._tell_state(link, now_ns)
        is_beat = now_ns >= self._heartbeat_at_ns
        if is_beat:
            self._tell_heartbeat(link, now_ns)
        self._tell_home(link, is_beat=is_beat)
        heard_at_ns, is_owed = self._hearing.heard_at_ns, bool(self._hearing.owed)
        self._awaited_ns = heard_at_ns if is_owed else None
        if is_owed and now_ns - heard_at_ns >= self._timing.silence_s * _NS:
            self._drop("no receipts")

    def _greet(self, now_ns: int) -> None:
        """Begin on a new connection: say who is here, send all that waits."""
        self._greeted = True
        self._failures = 0
        self._error = ""
        self._since = self._clock.now()
        self._hearing.heard_at_ns = now_ns
        self._meter.connected()
        self._window.reset()
        self._announce()
        log.info("bus.up")

    def _announce(self) -> None:
        self._is_discovered = False
        self._cameras_changed.set()
        self._state_at_ns = 0
        self._heartbeat_at_ns = 0

    def _count_refused(self, link: Link) -> None:
        """Say why the broker takes nothing; what it refused is sent again when its time comes."""
        if link.refused > self._refused_here:
            self._counters.refused += link.refused - self._refused_here
            self._refused_here = link.refused
            self._faults.report("bus.refused", link.refusal, {})

    def _tell_state(self, link: Link, now_ns: int) -> None:
        self._cameras_changed.clear()
        self._state_at_ns = now_ns + round(self._timing.state_gap_s * _NS)
        link.publish(self._herald.here(self._connection_id, self._vitals.vitals()))

    def _tell_heartbeat(self, link: Link, now_ns: int) -> None:
        self._heartbeat_at_ns = now_ns + round(self._timing.heartbeat_s * _NS)
        line = Line(self._outbox.load(), self._evidence_pending(), self._meter.figures())
        link.publish(self._herald.heartbeat(self._vitals.vitals(), line))

    def _tell_home(self, link: Link, *, is_beat: bool) -> None:
        """Tell Home Assistant what changed; how the box is with each heartbeat."""
        home = self._herald.home
        if home is None:
            return
        discovered, self._is_discovered = self._is_discovered, True
        for message in () if discovered else home.discovery():
            link.publish(message)
        for message in home.changes(with_trouble=is_beat):
            link.publish(message)

    def _send(self, link: Link, now_ns: int) -> None:
        before = self._window.under_way
        chosen = self._window.take(self._outbox.waiting(self._window.reach), now_ns)
        chosen = [sequence for sequence in chosen if not self._hearing.has_receipt(sequence)]
        rest = set(chosen)
        for parcel in self._outbox.parcels(chosen):
            topic = self._herald.event_topic if parcel.is_live else self._herald.historical_topic
            if not link.publish(Outgoing(topic, parcel.payload, qos=1)):
                break
            rest.discard(parcel.sequence)
            self._meter.event_sent(parcel.sequence)
            self._counters.sent += 1
            self._counters.sent_again += parcel.sequence in before
        if chosen and not before:
            self._hearing.heard_at_ns = now_ns
        self._window.unsent(rest)

    def _idle_s(self) -> float:
        """Return how long there is nothing to do unless someone wakes us."""
        deadlines = [self._prune_at_ns]
        if self._link is None:
            deadlines.append(self._retry_at_ns)
        elif not self._greeted:
            deadlines.append(self._give_up_at_ns)
        else:
            deadlines.append(self._heartbeat_at_ns)
            if self._cameras_changed.is_set():
                deadlines.append(self._state_at_ns)
            deadlines += self._hearing.deadlines_ns()
            if (due_ns := self._window.next_due_mono_ns) is not None:
                deadlines.append(due_ns)
            if self._hearing.owed:
                silence_ns = round(self._timing.silence_s * _NS)
                deadlines.append(self._hearing.heard_at_ns + silence_ns)
        idle_ns = min(deadlines) - self._clock.monotonic_ns()
        return min(max(idle_ns, 0) / _NS, 60.0)

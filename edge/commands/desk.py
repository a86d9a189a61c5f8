"""Where commands are taken: each is done once, and what became of it goes to the outbox."""

import logging
import sqlite3
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from edge.alerts.ledger import ask_evidence
from edge.bus.outbox import Outbox, Place
from edge.commands import journal
from edge.commands.arming import Disarmed, arm, disarm
from edge.commands.configuring import Configuring, Tuner
from edge.commands.journal import Entry
from edge.commands.masks import RuleMask, put_mask, undo_mask
from edge.commands.timekeeper import Timekeeper
from edge.commands.verdict import Verdict
from edge.config import EdgeConfig
from edge.db.database import Database
from edge.errors import ClockServiceError, StorageError
from edge.faultlog import FaultLog
from protocol.clock import Clock
from protocol.commands import (
    Arguments,
    Arm,
    BadArgumentsError,
    CameraClock,
    Clip,
    CommandKind,
    Configure,
    Disarm,
    Mask,
    OfCamera,
    Snapshot,
    SyncClock,
    parse,
)
from protocol.ids import uuid7
from protocol.messages import (
    BOX_SUBJECT,
    ClockState,
    CommandMessage,
    EvidenceKind,
    Outcome,
    ResultData,
    ResultMessage,
    source_of_box,
)

log = logging.getLogger(__name__)

#: Commands that may be under way at once; more are refused.
MOST_OPEN = 32
#: How often what is late, or armed again by the clock, is looked for.
_LOOK_EVERY_S = 5.0

_CameraArguments = Snapshot | Clip | Disarm | Arm | Mask | CameraClock


class Guard(Protocol):
    """What keeps disarmed rules from raising alerts."""

    def changed(self) -> None:
        """Read again what is disarmed."""

    def release(self) -> int:
        """Begin the alerts of rules that are armed again. Raises StorageError."""


class CommandDesk:
    """Does what a person at the centre has the box do (protocol I20 to I27).

    What a command changes, that it was heard, and what became of it are one transaction: so it is
    done once, whenever the box dies. A picture or clip is then fetched by the evidence courier, and
    the time service started again by the desk's own thread (twice, where the box dies just then),
    and other settings tried by ``tuner``; until that is over the command is accepted. ``on_commit``
    are called after each commit and must return at once; more may be added until the first command.

    :meth:`hear` and :meth:`wake` may be called from any thread.
    """

    def __init__(
        self,
        config: EdgeConfig,
        database: Database,
        outbox: Outbox,
        clock: Clock,
        *,
        boot_id: UUID,
        timekeeper: Timekeeper,
        tuner: Tuner,
        on_commit: Sequence[Callable[[], None]] = (),
    ) -> None:
        self._source = source_of_box(config.box.id)
        self._rules: Mapping[str, frozenset[str]] = {
            camera.id: frozenset(rule.id for rule in camera.rules)
            for camera in config.cameras
            if camera.enabled
        }
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._boot_id = boot_id
        self._timekeeper = timekeeper
        self._clock_verdict: Verdict | None = None
        self._configuring = Configuring(tuner)
        self._has_said_again = False
        self._on_commit = on_commit
        self._guard: Guard | None = None
        self._mask: Callable[[], None] | None = None
        self._masked = threading.Event()
        self._faults = FaultLog(log, clock)
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, guard: Guard, mask: Callable[[], None]) -> None:
        """Begin to look for what has become of commands.

        ``mask`` has the rules look past what masks say now; it may raise StorageError, and is then
        called again.
        """
        self._guard = guard
        self._mask = mask
        self._thread = threading.Thread(target=self._run, name="commands", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop and wait; idempotent."""
        self._closing.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join()

    def wake(self) -> None:
        """Look now: a piece of evidence was stored or given up."""
        self._wake.set()

    def hear(self, message: CommandMessage) -> None:
        """Do a command, or begin to; one that was heard before has its last word sent again."""
        now = self._clock.now()
        is_new = False
        try:
            with self._database.transaction() as connection:
                said = journal.said_at(connection, message.id)
                is_new = said is None
                if said is None:
                    self._take(connection, message, now)
                else:
                    self._outbox.send_again(connection, said)
        except StorageError:
            if is_new:
                self._configuring.forget(message.id)
            raise
        if self._guard is not None:
            self._guard.changed()
        self._masked.set()
        self._wake.set()
        self._committed()

    def _take(self, connection: sqlite3.Connection, message: CommandMessage, now: datetime) -> None:
        data = message.data
        camera_id = None
        try:
            arguments = parse(data.kind, data.arguments)
        except BadArgumentsError as error:
            verdict = Verdict(Outcome.REFUSED, "arguments", str(error))
        else:
            camera_id = arguments.camera_id if isinstance(arguments, OfCamera) else None
            verdict = self._answer(connection, message, arguments, now)
        until = now + timedelta(seconds=data.ttl_s)
        sequence = self._say(connection, message.id, data.kind, verdict)
        entry = Entry(message.id, data.kind, camera_id, now, until)
        journal.enter(connection, entry, verdict.outcome, sequence)
        log.info(
            "command.heard",
            extra={
                "command_id": str(message.id),
                "kind": data.kind,
                "actor": data.actor,
                "reason": data.reason,
                "outcome": verdict.outcome.value,
            },
        )

    def _answer(
        self,
        connection: sqlite3.Connection,
        message: CommandMessage,
        arguments: Arguments,
        now: datetime,
    ) -> Verdict:
        """Do a command, or begin to, or refuse it; return what is to be said of it."""
        if isinstance(arguments, SyncClock):
            return self._on_clock(message, now)
        if isinstance(arguments, Configure):
            return self._configuring.answer(message, arguments)
        if (refusal := self._refusal(connection, arguments, now)) is not None:
            return refusal
        if isinstance(arguments, Mask):
            return _mask(connection, message, arguments, now)
        if isinstance(arguments, CameraClock):
            return self._on_camera_clock()
        return _do(connection, message.id, arguments, now)

    def _on_clock(self, message: CommandMessage, now: datetime) -> Verdict:
        """Say how the clock is, and whether it will be set anew."""
        found = self._timekeeper.find(message, now)
        if found.is_right:
            return Verdict(Outcome.DONE, "clock_was_right", found.words())
        if self._timekeeper.restart is None:
            to_do = "allow it with [commands] may_set_clock, or set the clock at the box"
            return Verdict(Outcome.REFUSED, "may_not_set_clock", f"{found.words()}; {to_do}")
        return Verdict(Outcome.ACCEPTED, "", found.words())

    def _on_camera_clock(self) -> Verdict:
        """Accept it; a clock that nobody steers is none to set another by."""
        quality = self._timekeeper.quality()
        if quality.state is not ClockState.SYNCED:
            return Verdict(Outcome.REFUSED, "own_clock_unsure", quality.state.value)
        return Verdict(Outcome.ACCEPTED)

    def _refusal(
        self, connection: sqlite3.Connection, arguments: _CameraArguments, now: datetime
    ) -> Verdict | None:
        """Return why a command can't be done here, if so."""
        camera_id = arguments.camera_id
        if camera_id not in self._rules:
            return Verdict(Outcome.REFUSED, "no_such_camera", f"camera {camera_id}")
        match arguments:
            case Disarm(rule_id=str(rule_id)) | Arm(rule_id=str(rule_id)) | Mask(rule_id=rule_id):
                if rule_id not in self._rules[camera_id]:
                    named = f"camera {camera_id}: rule {rule_id}"
                    return Verdict(Outcome.REFUSED, "no_such_rule", named)
            case Clip(end=end) if end > now:
                ahead_s = round((end - now).total_seconds())
                return Verdict(Outcome.REFUSED, "not_recorded_yet", f"ends in {ahead_s} s")
            case Clip() | Snapshot() | CameraClock() if journal.count_open(connection) >= MOST_OPEN:
                return Verdict(Outcome.REFUSED, "busy", f"{MOST_OPEN} are under way")
        return None

    def _say(
        self, connection: sqlite3.Connection, command_id: UUID, kind: str, verdict: Verdict
    ) -> int:
        """Queue what became of a command and return where."""
        now = self._clock.now()
        data = ResultData(
            command_id=command_id,
            kind=kind,
            outcome=verdict.outcome,
            reason=verdict.reason,
            detail=verdict.words(kind),
            at=now,
        )

        def message(place: Place) -> ResultMessage:
            return ResultMessage(
                id=uuid7(now),
                source=self._source,
                time=now,
                subject=BOX_SUBJECT,
                sequence=place.sequence,
                bootid=self._boot_id,
                outboxid=place.outbox_id,
                prevhash=place.prevhash,
                data=data,
            )

        return self._outbox.append(connection, message)

    def finish(
        self, command_id: UUID, kind: CommandKind, outcome: Outcome, reason: str, detail: str
    ) -> None:
        """Say what became of an accepted command; from any thread. Raises StorageError.

        Nothing, where that was said already: it was too late.
        """
        with self._database.transaction() as connection:
            if command_id not in journal.accepted(connection, kind, self._clock.now()):
                return
            verdict = Verdict(outcome, reason, detail)
            sequence = self._say(connection, command_id, kind, verdict)
            journal.finish(connection, command_id, outcome, sequence)
        self._committed()

    def _committed(self) -> None:
        for callback in self._on_commit:
            callback()

    # -- in the desk's own thread ------------------------------------------------------------------

    def _run(self) -> None:
        assert self._guard is not None
        while not self._closing.is_set():
            try:
                self._tell_rules()
                self.settle()
                self.configure()
                self._guard.release()
                self.set_clock()  # the last, as it may take a while
            except StorageError as error:
                self._faults.report("commands.unsettled", str(error), {})
            except Exception as error:  # noqa: BLE001 - logged, and the next turn may do
                self._faults.bug("commands.turn_failed", error, {})
            self._wake.wait(_LOOK_EVERY_S)
            self._wake.clear()

    def _tell_rules(self) -> None:
        """Have the rules look past what masks say, where something was heard since."""
        if self._mask is None or not self._masked.is_set():
            return
        self._masked.clear()
        try:
            self._mask()
        except StorageError:
            self._masked.set()
            raise

    def set_clock(self) -> int:
        """Do the accepted commands that want the clock set; return of how many it was said.

        Blocks for some seconds where there are any. Raises StorageError.
        """
        with self._database.reading() as connection:
            accepted = journal.accepted(connection, CommandKind.SYNC_CLOCK, self._clock.now())
        if not accepted:
            return 0
        # Kept until it is said: a disk that refuses is no reason to do it again.
        verdict = self._clock_verdict = self._clock_verdict or self._restart()
        with self._database.transaction() as connection:
            for command_id in accepted:
                sequence = self._say(connection, command_id, CommandKind.SYNC_CLOCK, verdict)
                journal.finish(connection, command_id, verdict.outcome, sequence)
        self._clock_verdict = None
        self._committed()
        return len(accepted)

    def _restart(self) -> Verdict:
        if self._timekeeper.restart is None:  # it was allowed when the command was accepted
            return Verdict(Outcome.FAILED, "may_not_set_clock")
        try:
            self._timekeeper.restart()
        except ClockServiceError as error:
            return Verdict(Outcome.FAILED, "clock_not_set", str(error))
        return Verdict(Outcome.DONE, "clock_asked")

    def configure(self) -> int:
        """Begin what changes the settings, and say what came of it; return of how many it was said.

        What was said of settings that are on trial goes to the centre once more in each life: that
        it is receipted shows that the centre is heard under them. Raises StorageError.
        """
        with self._database.reading() as connection:
            accepted = journal.open_of(connection, CommandKind.CONFIGURE)
        if not self._has_said_again and accepted:
            with self._database.transaction() as connection:
                for command_id in accepted:
                    if (said := journal.said_at(connection, command_id)) is not None:
                        self._outbox.send_again(connection, said)
            self._committed()
        self._has_said_again = True
        over = list(self._configuring.over(accepted))
        for command_id, verdict in over:
            with self._database.transaction() as connection:
                sequence = self._say(connection, command_id, CommandKind.CONFIGURE, verdict)
                journal.finish(connection, command_id, verdict.outcome, sequence)
        if over:
            self._committed()
        return len(over)

    def settle(self) -> int:
        """Say what has become of accepted commands; return of how many. Raises StorageError."""
        now = self._clock.now()
        with self._database.reading() as connection:
            if not journal.settled(connection, now):
                return 0
        with self._database.transaction() as connection:
            found = journal.settled(connection, now)
            for each in found:
                if each.is_stored:
                    verdict = Verdict(Outcome.DONE)
                elif each.failed is not None:
                    verdict = Verdict(Outcome.FAILED, "not_fetched", each.failed)
                else:
                    verdict = Verdict(Outcome.EXPIRED, "too_late")
                sequence = self._say(connection, each.command_id, each.kind, verdict)
                journal.finish(connection, each.command_id, verdict.outcome, sequence)
        self._committed()
        return len(found)


def _mask(
    connection: sqlite3.Connection, message: CommandMessage, arguments: Mask, now: datetime
) -> Verdict:
    """Write down what a rule looks past; the desk's thread tells the rules."""
    camera_id, rule_id = arguments.camera_id, arguments.rule_id
    if arguments.exclude is None:
        was_masked = undo_mask(connection, camera_id, rule_id)
        return Verdict(Outcome.DONE, "" if was_masked else "was_not_masked")
    data = message.data
    mask = RuleMask(camera_id, rule_id, arguments.exclude, now, data.actor, data.reason)
    put_mask(connection, mask)
    return Verdict(Outcome.DONE)


def _do(
    connection: sqlite3.Connection,
    command_id: UUID,
    arguments: Snapshot | Clip | Disarm | Arm,
    now: datetime,
) -> Verdict:
    """Do a command that nothing speaks against, as far as a transaction can."""
    match arguments:
        case Snapshot():
            ask_evidence(connection, command_id, EvidenceKind.SNAPSHOT, (now, now), now)
            return Verdict(Outcome.ACCEPTED)
        case Clip(start=start, end=end):
            ask_evidence(connection, command_id, EvidenceKind.CLIP, (start, end), now)
            return Verdict(Outcome.ACCEPTED)
        case Disarm(camera_id=camera_id, rule_id=rule_id, for_s=for_s):
            until = now + timedelta(seconds=for_s)
            disarm(connection, Disarmed(camera_id, rule_id or "", now, until))
            return Verdict(Outcome.DONE)
        case Arm(camera_id=camera_id, rule_id=rule_id):
            was_disarmed = arm(connection, camera_id, rule_id or "")
            return Verdict(Outcome.DONE, "" if was_disarmed else "was_armed")

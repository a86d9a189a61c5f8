"""Pictures and clips of alerts: made, kept, and brought to the centre."""

import logging
import os
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from edge.alerts.budget import Budget, Signs
from edge.alerts.digest import sha256_of
from edge.alerts.evidence_store import EvidenceStore
from edge.alerts.gate import Gate
from edge.alerts.maker import Maker
from edge.alerts.piece import Piece, file_name
from edge.alerts.tidier import DRAFT, Tidier
from edge.alerts.turns import Turns
from edge.alerts.verdict import Outcome, Verdict
from edge.bus.backoff import Backoff
from edge.config import EdgeConfig
from edge.errors import EdgeError, MediaError, NotFoundError, StorageError
from edge.health import Component, Condition, Figure
from edge.ports import Clipper, Snapshotter
from protocol.clock import Clock
from protocol.messages import EvidenceKind, EvidenceLack

if TYPE_CHECKING:
    from edge.alerts.upload import Uploader

log = logging.getLogger(__name__)

#: Making is given up after so many failures: about 9 minutes where there is no video, about 1 hour
#: where the disk or the camera is to blame.
TRIES_WITHOUT_VIDEO = 8
TRIES_OTHERWISE = 18


@dataclass(frozen=True, slots=True)
class CourierTiming:
    """Waits after failures. ``not_yet``: the picture often comes before its alert's message.

    ``away``: the link, or the centre's disk, takes nothing at all. ``refused``: the box's own disk
    or database does not take what was done.
    """

    retry: Backoff = field(default_factory=lambda: Backoff(first_s=2.0, cap_s=300.0))
    not_yet: Backoff = field(default_factory=lambda: Backoff(first_s=0.5, cap_s=15.0))
    away: Backoff = field(default_factory=lambda: Backoff(first_s=2.0, cap_s=60.0))
    refused: Backoff = field(default_factory=lambda: Backoff(first_s=2.0, cap_s=60.0))


class Step(StrEnum):
    """What is done with a piece, one after the other."""

    MAKE = "make"
    BRING = "bring"


class EvidenceCourier:
    """Works through the evidence table, with a thread for each kind and step.

    Making never waits for a link: a picture comes from the last seconds of live video and would be
    gone. A clip on a slow link takes minutes and a picture seconds, so neither waits for the other,
    but no clip is made while a picture could be, and a clip's next part waits for pictures as
    :mod:`edge.alerts.order` says. Where nothing gets through, one upload finds out and all wait.
    A file is complete and on disk before its row says so, and is kept until the centre has stored
    it. Without a centre the files are made and kept until their alert's retention is over.
    ``on_settled`` is called after a piece was stored or given up, and must return at once.

    :meth:`wake` may be called from any thread and returns at once.
    """

    def __init__(
        self,
        config: EdgeConfig,
        store: EvidenceStore,
        snapshotter: Snapshotter,
        clipper: Clipper,
        clock: Clock,
        *,
        timing: CourierTiming | None = None,
        budget: Budget | None = None,
        on_settled: Callable[[], None] = lambda: None,
    ) -> None:
        self._config = config
        self._store = store
        self._maker = Maker(config, snapshotter, clipper)
        self._clock = clock
        self._timing = timing or CourierTiming()
        self._folder = config.box.data_dir / "evidence"
        self._uploader: Uploader | None = None
        # Both kinds are sent under one gate and budget, each by a thread of its own.
        self._sending = threading.Lock()
        self._gate = Gate(self._timing.away)
        self._budget = budget or Budget(Signs)
        self._turns = Turns(store)
        self._on_settled = on_settled
        self._closing = threading.Event()
        steps = [Step.MAKE] if config.centre is None else list(Step)
        self._wakes = {(step, kind): threading.Event() for step in steps for kind in EvidenceKind}
        self._threads: list[threading.Thread] = []
        keep = timedelta(days=config.recording.alert_retention_days)
        uploads = config.centre is not None
        self._tidier = Tidier(store, self._folder, clock, keep, uploads=uploads)
        # What came of a piece and is not written down yet: where the database refuses, only that is
        # tried again, not the picture or the upload.
        self._unrecorded: dict[tuple[Step, EvidenceKind, str], Callable[[], None]] = {}

    def start(self) -> None:
        """Begin. Raises ConfigError where the token can't be read, StorageError for the folder."""
        if self._threads:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for draft in self._folder.glob(f"{DRAFT}*"):
                draft.unlink()
        except OSError as error:
            raise StorageError(f"evidence folder {self._folder}: {error.strerror}") from error
        centre = self._config.centre
        if centre is not None:
            # house: late import - its HTTP client costs 3 MB, and not every box has a centre
            from edge.alerts.upload import Uploader  # noqa: PLC0415

            self._uploader = Uploader(
                centre.http_url, self._config.box.id, centre.token.read(), pace=self._pace
            )
        for step, kind in self._wakes:
            name = f"evidence-{step}-{kind}"
            thread = threading.Thread(target=self._run, args=(step, kind), name=name, daemon=True)
            self._threads.append(thread)
            thread.start()

    def close(self) -> None:
        """Stop and wait; an upload ends at its next chunk; idempotent."""
        self._closing.set()
        if self._uploader is not None:
            self._uploader.stop()
        self.wake()
        for thread in self._threads:
            thread.join()
        if self._uploader is not None:
            self._uploader.close()

    def wake(self) -> None:
        """Look at the table now: an alert was committed."""
        for event in self._wakes.values():
            event.set()

    def pending(self) -> int:
        """Return how many pieces the centre does not have yet and may still get."""
        return self._store.pending()

    def component(self) -> Component:
        """Return how evidence gets away, for the health board. Raises StorageError."""
        shut_s = self._gate.wait_s(self._clock.monotonic_ns())
        figures: dict[str, Figure] = {
            "waiting": self._store.pending(),
            "waiting_bytes": self._store.pending_bytes(),
            "refused_in_row": self._gate.failures,
            "paused_s": round(shut_s, 1),
            "budget_bytes_s": round(self._budget.bytes_s),
        }
        condition = Condition.DEGRADED if self._gate.failures else Condition.OK
        return Component(condition, self._gate.reason or None, figures)

    # -- in the thread of a step and kind ----------------------------------------------------------

    def _run(self, step: Step, kind: EvidenceKind) -> None:
        wake = self._wakes[step, kind]
        failures = 0
        while not self._closing.is_set():
            try:
                worked = self._turn(step, kind)
                idle_s = 0.0 if worked else self._idle_s(step, kind)
                failures = 0
            except Exception:
                # A refused disk must not end the courier.
                log.exception(
                    "evidence.turn_failed", extra={"step": step.value, "kind": kind.value}
                )
                failures += 1
                worked, idle_s = False, self._timing.refused.after(failures, _chance())
            if worked:
                self.wake()  # the next step, or a clip that waited for a picture
            else:
                wake.wait(idle_s)
                wake.clear()

    def _turn(self, step: Step, kind: EvidenceKind) -> bool:
        """Work on one piece; return whether there was one."""
        if (step, kind) == (Step.MAKE, EvidenceKind.CLIP):
            self._tidier.sweep()
        piece = self._next(step, kind)
        if piece is None:
            return step is Step.BRING and self._tell_lack(kind)
        key = step, piece.kind, piece.alert_id
        record = self._unrecorded.get(key)
        if record is None:
            record = self._make(piece) if step is Step.MAKE else self._bring(piece)
        self._unrecorded[key] = record
        record()
        del self._unrecorded[key]
        return True

    def _next(self, step: Step, kind: EvidenceKind) -> Piece | None:
        """Return the piece to work on now, if any; a picture that could be made goes first."""
        now = self._clock.now()
        if step is Step.BRING and self._gate.wait_s(self._clock.monotonic_ns()):
            return None
        if kind is EvidenceKind.CLIP and self._store.ready(EvidenceKind.SNAPSHOT, now, made=False):
            return None
        if step is Step.BRING:
            return self._turns.next(kind, now)
        return self._store.ready(kind, now, made=False)

    def _tell_lack(self, kind: EvidenceKind) -> bool:
        """Tell the centre of one piece that will never come; return whether it knows now."""
        if self._gate.wait_s(self._clock.monotonic_ns()):
            return False
        found = self._store.lacking(kind, self._clock.now())
        if found is None:
            return False
        assert self._uploader is not None
        piece, lack = found
        outcome = self._uploader.tell_lack(piece, lack)
        self._note(outcome)
        if outcome.verdict in {Verdict.STORED, Verdict.REFUSED}:
            self._store.told(piece)
            return True
        self._try_again(piece, self._timing.retry, outcome.reason)
        return False

    def _note(self, outcome: Outcome) -> None:
        """Keep in mind whether the centre is there."""
        with self._sending:
            if outcome.came_further or outcome.verdict is not Verdict.AWAY:
                self._gate.passed()
            if outcome.verdict is Verdict.AWAY:
                self._gate.refused(self._clock.monotonic_ns(), _chance(), outcome.reason)

    def _idle_s(self, step: Step, kind: EvidenceKind) -> float:
        shut_s = self._gate.wait_s(self._clock.monotonic_ns())
        if step is Step.BRING and shut_s:
            return shut_s
        next_at = self._store.next_at(kind, made=step is Step.BRING)
        if next_at is None:
            return 60.0
        return min(max((next_at - self._clock.now()).total_seconds(), 0.1), 60.0)

    def _make(self, piece: Piece) -> Callable[[], None]:
        """Make a piece's file and return what writes down what came of it."""
        name = file_name(piece.alert_id, piece.kind)
        draft = self._folder / f"{DRAFT}{name}"
        try:
            piece = self._maker.make(piece, draft)
            _sync(draft)
            sha256, size_bytes = sha256_of(draft), draft.stat().st_size
            if self._maker.is_too_long(size_bytes):  # and can't be made shorter
                draft.unlink()
                reason = f"too large: {size_bytes} bytes"
                return partial(self._give_up, piece, EvidenceLack.TOO_LARGE, reason)
            draft.replace(self._folder / name)
        except (EdgeError, OSError) as error:
            draft.unlink(missing_ok=True)
            return partial(self._making_failed, piece, error)
        return partial(self._made, piece, name, sha256, size_bytes)

    def _made(self, piece: Piece, name: str, sha256: str, size_bytes: int) -> None:
        self._store.made(piece, name, sha256, size_bytes)
        log.info(
            "evidence.made",
            extra={"alert_id": piece.alert_id, "kind": piece.kind.value, "bytes": size_bytes},
        )

    def _making_failed(self, piece: Piece, error: Exception) -> None:
        no_video = isinstance(error, NotFoundError | MediaError)
        reason = f"not made: {error}"
        if piece.tries + 1 >= (TRIES_WITHOUT_VIDEO if no_video else TRIES_OTHERWISE):
            self._give_up(piece, EvidenceLack.NOT_MADE, reason)
        else:
            self._try_again(piece, self._timing.retry, reason)

    def _bring(self, piece: Piece) -> Callable[[], None]:
        """Send the next part of a piece and return what writes down what came of it."""
        assert self._uploader is not None
        assert piece.path is not None
        file = self._folder / piece.path
        if not file.exists() or file.stat().st_size != piece.size_bytes:
            return partial(self._store.unmade, piece)
        outcome = self._uploader.send(piece, file)
        self._turns.had(piece.kind)
        self._note(outcome)
        return self._settle(replace(piece, tries=0) if outcome.came_further else piece, outcome)

    def _pace(self, size_bytes: int) -> float:
        with self._sending:
            return self._budget.wait_s(size_bytes, self._clock.monotonic_ns())

    def _settle(self, piece: Piece, outcome: Outcome) -> Callable[[], None]:
        match outcome.verdict:
            case Verdict.STORED:
                return partial(self._stored, piece)
            case Verdict.PART:
                return partial(self._store.came_further, piece)
            case Verdict.NOT_YET | Verdict.AWAY | Verdict.AGAIN:
                is_early = outcome.verdict is Verdict.NOT_YET
                backoff = self._timing.not_yet if is_early else self._timing.retry
                return partial(self._try_again, piece, backoff, outcome.reason)
            case Verdict.DAMAGED:
                return partial(self._make_again, piece, outcome.reason)
            case Verdict.TOO_LONG if outcome.limit_bytes and piece.kind is EvidenceKind.CLIP:
                self._maker.limit_bytes = outcome.limit_bytes  # it is made anew, and shorter
                return partial(self._make_again, piece, outcome.reason)
            case Verdict.TOO_LONG | Verdict.REFUSED:
                is_long = outcome.verdict is Verdict.TOO_LONG
                lack = EvidenceLack.TOO_LARGE if is_long else EvidenceLack.REFUSED
                return partial(self._give_up, piece, lack, outcome.reason)

    def _make_again(self, piece: Piece, reason: str) -> None:
        self._try_again(piece, self._timing.retry, reason)
        self._store.unmade(piece)

    def _stored(self, piece: Piece) -> None:
        self._store.stored(piece, self._clock.now())
        (self._folder / file_name(piece.alert_id, piece.kind)).unlink(missing_ok=True)
        log.info("evidence.stored", extra={"alert_id": piece.alert_id, "kind": piece.kind.value})
        self._on_settled()

    def _try_again(self, piece: Piece, backoff: Backoff, reason: str) -> None:
        wait_s = backoff.after(piece.tries + 1, _chance())
        self._store.again(piece, self._clock.now() + timedelta(seconds=wait_s))
        log.info(
            "evidence.retry",
            extra={
                "alert_id": piece.alert_id,
                "kind": piece.kind.value,
                "reason": reason,
                "retry_s": round(wait_s, 1),
            },
        )

    def _give_up(self, piece: Piece, lack: EvidenceLack, reason: str) -> None:
        self._store.failed(piece, lack, reason)
        log.warning(
            "evidence.failed",
            extra={"alert_id": piece.alert_id, "kind": piece.kind.value, "reason": reason},
        )
        self._on_settled()


def _chance() -> float:
    return random.random()  # noqa: S311 - jitter


def _sync(path: Path) -> None:
    """Make a file's bytes durable: its row must not outlive them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

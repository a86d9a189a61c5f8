"""Pictures and clips of alerts: made, kept, and brought to the centre."""

import logging
import os
import random
import threading
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

from edge.alerts.evidence_store import EvidenceStore, Piece
from edge.alerts.upload import Uploader, Verdict, sha256_of
from edge.bus.backoff import Backoff
from edge.config import EdgeConfig
from edge.errors import EdgeError, MediaError, NotFoundError, StorageError
from edge.ports import Clipper, Snapshotter
from protocol.clock import Clock
from protocol.messages import EvidenceKind

log = logging.getLogger(__name__)

_DRAFT = "draft."
_SUFFIX = {EvidenceKind.SNAPSHOT: "jpg", EvidenceKind.CLIP: "mp4"}

#: Making is given up after so many failures: about 9 minutes where there is no video, about 1 hour
#: where the disk or the camera is to blame.
TRIES_WITHOUT_VIDEO = 8
TRIES_OTHERWISE = 18

_TIDY_EVERY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class CourierTiming:
    """Waits after failures. ``not_yet``: the picture often comes before its alert's message."""

    retry: Backoff = field(default_factory=lambda: Backoff(first_s=2.0, cap_s=300.0))
    not_yet: Backoff = field(default_factory=lambda: Backoff(first_s=0.5, cap_s=15.0))


class EvidenceCourier:
    """Works through the evidence table, with a thread for pictures and one for clips.

    A clip on a slow link takes minutes and a picture seconds, so neither thread waits for the
    other, but no clip is begun while a picture could be sent. A file is complete and on disk before
    its row says so, and is kept until the centre has stored it or its alert's retention is over.
    Without a centre the files are made and kept.

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
    ) -> None:
        self._config = config
        self._store = store
        self._snapshotter = snapshotter
        self._clipper = clipper
        self._clock = clock
        self._timing = timing or CourierTiming()
        self._folder = config.box.data_dir / "evidence"
        self._uploader: Uploader | None = None
        self._closing = threading.Event()
        self._wakes = {kind: threading.Event() for kind in EvidenceKind}
        self._threads: list[threading.Thread] = []
        self._tidied_at: datetime | None = None

    def start(self) -> None:
        """Begin. Raises ConfigError where the token can't be read, StorageError for the folder."""
        if self._threads:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for draft in self._folder.glob(f"{_DRAFT}*"):
                draft.unlink()
        except OSError as error:
            raise StorageError(f"evidence folder {self._folder}: {error.strerror}") from error
        centre = self._config.centre
        if centre is not None:
            self._uploader = Uploader(centre.http_url, self._config.box.id, centre.token.read())
        for kind in EvidenceKind:
            thread = threading.Thread(
                target=self._run, args=(kind,), name=f"evidence-{kind}", daemon=True
            )
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

    # -- in a kind's own thread -------------------------------------------------------------------

    def _run(self, kind: EvidenceKind) -> None:
        while not self._closing.is_set():
            try:
                worked = self._turn(kind)
                idle_s = 0.0 if worked else self._idle_s(kind)
            except Exception:
                # A refused disk must not end the courier.
                log.exception("evidence.turn_failed", extra={"kind": kind.value})
                self._closing.wait(5.0)
                continue
            if idle_s > 0:
                self._wakes[kind].wait(idle_s)
                self._wakes[kind].clear()

    def _turn(self, kind: EvidenceKind) -> bool:
        """Work on one piece; return whether there was one."""
        now = self._clock.now()
        upload = self._uploader is not None
        if kind is EvidenceKind.CLIP:
            self._tidy(now)
            if self._store.ready(EvidenceKind.SNAPSHOT, now, upload=upload):
                return False
        piece = self._store.ready(kind, now, upload=upload)
        if piece is None:
            return False
        if piece.path is None:
            self._make(piece)
        else:
            self._bring(piece, self._folder / piece.path)
        return True

    def _idle_s(self, kind: EvidenceKind) -> float:
        next_at = self._store.next_at(kind, upload=self._uploader is not None)
        if next_at is None:
            return 60.0
        return min(max((next_at - self._clock.now()).total_seconds(), 0.1), 60.0)

    def _make(self, piece: Piece) -> None:
        name = _file_name(piece.alert_id, piece.kind)
        draft = self._folder / f"{_DRAFT}{name}"
        try:
            piece = self._draw(piece, draft)
            _sync(draft)
            sha256, size_bytes = sha256_of(draft), draft.stat().st_size
            draft.replace(self._folder / name)
        except (EdgeError, OSError) as error:
            draft.unlink(missing_ok=True)
            self._making_failed(piece, error)
            return
        self._store.made(piece, name, sha256, size_bytes)
        log.info(
            "evidence.made",
            extra={"alert_id": piece.alert_id, "kind": piece.kind.value, "bytes": size_bytes},
        )

    def _draw(self, piece: Piece, draft: Path) -> Piece:
        """Write a piece's file; return the piece with its true bounds."""
        draft.unlink(missing_ok=True)
        if piece.kind is EvidenceKind.SNAPSHOT:
            picture, taken_at = self._snapshotter.picture(piece.camera_id, piece.start)
            draft.write_bytes(picture)
            return replace(piece, start=taken_at, end=taken_at)
        start, end = self._clipper.clip(piece.camera_id, piece.start, piece.end, draft)
        return replace(piece, start=start, end=end)

    def _making_failed(self, piece: Piece, error: Exception) -> None:
        no_video = isinstance(error, NotFoundError | MediaError)
        reason = f"not made: {error}"
        if piece.tries + 1 >= (TRIES_WITHOUT_VIDEO if no_video else TRIES_OTHERWISE):
            self._give_up(piece, reason)
        else:
            self._try_again(piece, self._timing.retry, reason)

    def _bring(self, piece: Piece, file: Path) -> None:
        assert self._uploader is not None
        if not file.exists() or file.stat().st_size != piece.size_bytes:
            self._store.unmade(piece)
            return
        outcome = self._uploader.put(piece, file)
        match outcome.verdict:
            case Verdict.STORED:
                self._store.stored(piece, self._clock.now())
                file.unlink(missing_ok=True)
                self._wakes[EvidenceKind.CLIP].set()
                log.info(
                    "evidence.stored",
                    extra={"alert_id": piece.alert_id, "kind": piece.kind.value},
                )
            case Verdict.NOT_YET:
                self._try_again(piece, self._timing.not_yet, outcome.reason)
            case Verdict.AGAIN:
                self._try_again(piece, self._timing.retry, outcome.reason)
            case Verdict.DAMAGED:
                self._store.unmade(piece)
                self._try_again(piece, self._timing.retry, outcome.reason)
            case Verdict.REFUSED:
                self._give_up(piece, outcome.reason)

    def _try_again(self, piece: Piece, backoff: Backoff, reason: str) -> None:
        wait_s = backoff.after(piece.tries + 1, random.random())  # noqa: S311 - jitter
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

    def _give_up(self, piece: Piece, reason: str) -> None:
        self._store.failed(piece, reason)
        log.warning(
            "evidence.failed",
            extra={"alert_id": piece.alert_id, "kind": piece.kind.value, "reason": reason},
        )

    def _tidy(self, now: datetime) -> None:
        """Forget what is past its retention, and remove files that no row speaks of."""
        if self._tidied_at is not None and abs(now - self._tidied_at) < _TIDY_EVERY:
            return
        self._tidied_at = now
        keep = timedelta(days=self._config.recording.alert_retention_days)
        self._store.forget(now - keep)
        wanted = {_file_name(alert_id, kind) for alert_id, kind in self._store.wanted()}
        for file in self._folder.iterdir():
            if file.name not in wanted and not file.name.startswith(_DRAFT):
                file.unlink(missing_ok=True)


def _file_name(alert_id: str, kind: EvidenceKind) -> str:
    return f"{alert_id}.{_SUFFIX[kind]}"


def _sync(path: Path) -> None:
    """Make a file's bytes durable: its row must not outlive them."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

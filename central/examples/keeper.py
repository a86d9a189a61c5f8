"""Keeping examples: what is due is copied as soon as its picture is there; what is too old goes."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from central.db.engine import Database
from central.db.models import Alert, BoxEvent, Evidence, ExampleDue
from central.errors import EvidenceAwayError, InvalidError, NotFoundError
from central.evidence.store import EvidenceStore
from central.examples.frame import bare
from central.examples.rule import Limits, leaving
from central.examples.shelf import ExampleShelf, Label
from central.periodic import PeriodicWorker
from protocol.clock import Clock
from protocol.messages import EvidenceKind

log = logging.getLogger(__name__)

_EVERY_S = 10.0
_TIDY_EVERY_S = 3600.0
#: So many a look: the others wait for the next one.
_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class Choice:
    """What the village chose: whether examples are kept, for how long, and by which clock."""

    keeps: bool
    limits: Limits
    zone: ZoneInfo


class ExampleKeeper:
    """Looks every 10 s in a thread of its own.

    Staff who press 误报 never wait for a disk, and a picture that comes weeks later is kept then.
    Where the village keeps none, what is due is forgotten; what was kept goes by its age.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        evidence: EvidenceStore,
        shelf: ExampleShelf,
        choice: Choice,
    ) -> None:
        self._database = database
        self._clock = clock
        self._evidence = evidence
        self._shelf = shelf
        self.choice = choice
        self._worker = PeriodicWorker("examples", _EVERY_S, self.look)
        self._tidied_ns: int | None = None

    def start(self) -> None:
        """Begin to look."""
        self._worker.start()

    def close(self) -> None:
        """Stop and wait; may be called again."""
        self._worker.close()

    def look(self) -> None:
        """Look once. Raises StoreUnavailableError."""
        kept = self._keep_due() if self.choice.keeps else 0
        now_ns = self._clock.monotonic_ns()
        is_time = self._tidied_ns is None or now_ns - self._tidied_ns >= _TIDY_EVERY_S * 1e9
        if kept or is_time:
            self._make_room()
        if is_time:
            self._tidied_ns = now_ns
            self._tidy()

    def _keep_due(self) -> int:
        """Keep what is due and has its picture; return how many."""
        with self._database.read() as session:
            found = session.execute(
                select(Alert, Evidence)
                .join(ExampleDue, ExampleDue.alert_id == Alert.id)
                .join(Evidence, Evidence.alert_id == Alert.id)
                .where(Evidence.kind == EvidenceKind.SNAPSHOT)
                .order_by(Evidence.stored_at)
                .limit(_AT_ONCE)
            ).all()
            ready = [(alert, piece, _model_of(session, alert)) for alert, piece in found]
        for alert, piece, model in ready:
            self._keep(alert, piece, model)
        return len(ready)

    def _keep(self, alert: Alert, piece: Evidence, model: str | None) -> None:
        try:
            jpeg = bare(self._evidence.read(piece.id))
        except (InvalidError, NotFoundError) as error:
            log.warning("examples.refused", extra={"alert": alert.id, "error": str(error)})
            self._shelf.refuse(alert.id)
            return
        except (EvidenceAwayError, OSError) as error:  # it stays due, and the others go on
            if not self._evidence.works:  # so do all
                raise
            log.warning("examples.unread", extra={"alert": alert.id, "error": str(error)})
            return
        assert alert.reason is not None  # a false alarm has one: the database says so
        day = alert.started_at.astimezone(self.choice.zone).date()
        label = Label(alert.kind, alert.reason, model, day)
        self._shelf.keep(alert.id, alert.camera_uid, label, jpeg)

    def _make_room(self) -> None:
        today = self._clock.now().astimezone(self.choice.zone).date()
        self._shelf.let_go(leaving(self._shelf.held(), today, self.choice.limits))

    def _tidy(self) -> None:
        now, keep = self._clock.now(), timedelta(days=self.choice.limits.keep_days)
        self._shelf.forget_due(now - keep if self.choice.keeps else now)
        if gone := self._shelf.sweep():
            log.info("examples.swept", extra={"files": gone})


def _model_of(session: Session, alert: Alert) -> str | None:
    """Return the model that the newest event of an alert names."""
    payloads = session.scalars(
        select(BoxEvent.payload)
        .where(BoxEvent.box_id == alert.box_id, BoxEvent.sequence == alert.sequence)
        .order_by(BoxEvent.id.desc())
    )
    for payload in payloads:
        data = payload.get("data", {})
        if data.get("alert_id") == str(alert.id):
            model = data.get("model")
            return model if isinstance(model, str) else None
    return None

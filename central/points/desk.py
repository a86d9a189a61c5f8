"""What people do with points, each act one transaction with its ledger entry."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from central.db.engine import Database
from central.db.models import Point, PointLedger, SignPhoto
from central.db.upsert import insert_into
from central.errors import ConflictError, InvalidError, NotFoundError
from central.ledger.book import append
from central.ledger.chain import Entry
from central.points.book import papers_of
from central.points.codes import (
    CHECKLIST,
    LEGAL_BASES,
    PLACE_TYPES,
    DeviceType,
    Item,
    PlaceType,
    PointState,
)
from central.points.compare import note_changes
from central.points.states import check_papers, check_step, is_clear
from protocol.clock import Clock
from protocol.messages import LegalBasis


@dataclass(frozen=True, slots=True)
class Terms:
    """What is written down of a point; what is None at the end stays as it is."""

    place_type: PlaceType
    legal_basis: LegalBasis
    manager_unit: str
    installed_on: date | None
    note: str
    device_type: DeviceType | None = None
    manager_phone: str | None = None


class PointDesk:
    """Keeps the files of points. A point may be made before its camera has been heard of."""

    def __init__(self, database: Database, clock: Clock, region_code: str, zone: ZoneInfo) -> None:
        self._database = database
        self._clock = clock
        self._region_code = region_code
        self._zone = zone

    def put(self, uid: str, terms: Terms, actor_id: str) -> None:
        """Write down what a point is; it is made where there is none.

        Raises InvalidError where its state would lack something.
        """
        if terms.place_type is PlaceType.OTHER and not terms.note.strip():
            raise InvalidError("note: a place of type 'other' needs one")
        with self._transaction() as (session, now):
            made = session.execute(
                insert_into(session, Point)
                .values(
                    uid=uid,
                    state=PointState.DRAFT,
                    state_since=now,
                    device_type=DeviceType.FIXED,
                    manager_unit="",
                    manager_phone="",
                    note="",
                    checklist_note="",
                    sign_whole=True,
                )
                .on_conflict_do_nothing()
                .returning(Point.uid)
            ).first()
            point = self._find(session, uid)
            point.place_type, point.legal_basis = terms.place_type, terms.legal_basis
            point.manager_unit, point.note = terms.manager_unit, terms.note
            point.installed_on = terms.installed_on.isoformat() if terms.installed_on else None
            point.device_type = terms.device_type or point.device_type
            if terms.manager_phone is not None:
                point.manager_phone = terms.manager_phone
            check_papers(point.state, papers_of(point))
            action = "change" if made is None else "make"
            self._write(session, point, action, actor_id, now, _said(point))

    def sign(self, uid: str, answers: Mapping[Item, bool], note: str, actor_id: str) -> None:
        """Sign the checklist of forbidden places. Raises NotFoundError, InvalidError.

        An answer that stands against the place is kept, and keeps the point from going on; a point
        that is in trial or in use already is then to be retired first: ConflictError.
        """
        clear = is_clear(answers)
        with self._transaction() as (session, now):
            point = self._find(session, uid)
            if not clear and point.state in (PointState.TRIAL, PointState.IN_USE):
                raise ConflictError("retire the point first: its place is forbidden (article 8)")
            point.checklist = {item.value: answers[item] for item in Item}
            point.checklist_note = note
            point.checklist_by, point.checklist_at = actor_id, now
            against = [CHECKLIST[item].zh for item in Item if not answers[item]]
            words = f"不符合:{'、'.join(against)}" if against else "全部符合"
            self._write(session, point, "sign", actor_id, now, f"{words} {note}".strip())

    def step(self, uid: str, state: PointState, reason: str, actor_id: str) -> None:
        """Take a point on. Raises NotFoundError, ConflictError, InvalidError."""
        with self._transaction() as (session, now):
            point = self._find(session, uid)
            before = point.state
            check_step(before, state, papers_of(point))
            point.state, point.state_since = state, now
            if state is PointState.IN_USE:
                point.in_use_since = now
            elif state is PointState.DRAFT:
                point.in_use_since = None
            if before is PointState.RETIRED:
                point.checklist = point.checklist_by = point.checklist_at = None
                point.photo_id = point.sign_checked_at = None
                point.checklist_note, point.sign_whole = "", True
            entry = Entry(
                uid, now, "state", actor_id, from_state=before, to_state=state, note=reason
            )
            append(session, PointLedger, [entry])
            note_changes(session, self._region_code, self._zone, now)

    def hang(self, photo: SignPhoto, actor_id: str) -> None:
        """Give a point the photo of its notice sign, whose file is there: the sign is whole.

        Raises NotFoundError.
        """
        with self._transaction() as (session, now):
            point = self._find(session, photo.uid)
            session.add(photo)
            session.flush()
            point.photo_id = photo.id
            point.sign_checked_at, point.sign_whole = now, True
            self._write(session, point, "photo", actor_id, now, f"SHA-256 {photo.sha256}")

    def look(self, uid: str, note: str, actor_id: str, *, is_whole: bool) -> None:
        """Enter that somebody looked at the notice sign (提示标识完好).

        Raises NotFoundError; ConflictError where no sign was ever photographed.
        """
        with self._transaction() as (session, now):
            point = self._find(session, uid)
            if point.photo_id is None:
                raise ConflictError("there is no photo of a notice sign yet")
            point.sign_checked_at, point.sign_whole = now, is_whole
            words = f"{'完好' if is_whole else '损坏或缺失'} {note}".strip()
            self._write(session, point, "check", actor_id, now, words)

    @contextmanager
    def _transaction(self) -> Iterator[tuple[Session, datetime]]:
        now = self._clock.now()
        with self._database.write() as session:
            yield session, now

    def _find(self, session: Session, uid: str) -> Point:
        point = session.get(Point, uid, with_for_update=True)
        if point is None:
            raise NotFoundError(f"there is no point {uid}")
        return point

    def _write(
        self, session: Session, point: Point, action: str, actor_id: str, now: datetime, note: str
    ) -> None:
        append(session, PointLedger, [Entry(point.uid, now, action, actor_id, note=note)])
        note_changes(session, self._region_code, self._zone, now)


def _said(point: Point) -> str:
    """Return what a point is in one line, for the record."""
    assert point.place_type is not None
    assert point.legal_basis is not None
    words = (
        PLACE_TYPES[point.place_type].zh,
        LEGAL_BASES[point.legal_basis].zh,
        point.manager_unit,
        point.installed_on or "",
        point.note,
    )
    return ";".join(word for word in words if word)

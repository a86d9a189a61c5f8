"""The routes of holds (docs/design/api.md): footage that persons, and alerts, keep."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict

from edge.errors import RefusedError
from edge.recording.hold_desk import HoldDesk, Kept
from edge.recording.hold_rules import (
    ALERT_PREFIX,
    MAX_REASON_CHARS,
    MAX_REVIEW,
    MAX_STRETCH,
    Act,
    Placing,
    Refusal,
    Terms,
)
from edge.recording.hold_trace import HoldEvent, PersonHold
from edge.recording.segment import Hold
from edge.web.actor import ActorDep
from edge.web.problem import Problem
from protocol.messages import LocalId

MAX_LISTED = 1000
MAX_EVENTS = 200

_PROBLEMS = {
    Refusal.REASON: (
        422,
        "invalid",
        f"a reason of 1 to {MAX_REASON_CHARS} characters is needed",
        f"请填写理由(最多{MAX_REASON_CHARS}字)",
    ),
    Refusal.STRETCH: (
        422,
        "invalid",
        f"'end' must be after 'start', by at most {MAX_STRETCH.days} days",
        f"结束时间必须晚于开始时间,最长{MAX_STRETCH.days}天",
    ),
    Refusal.UNTIL: (
        422,
        "invalid",
        "'until' must be in the future, by at most three years",
        "保留期限必须晚于现在,最长三年",
    ),
    Refusal.REVIEW: (
        422,
        "invalid",
        f"'review_on' must be after today, by at most {MAX_REVIEW.days} days, and before 'until'",
        f"复核日期必须晚于今天,最长{MAX_REVIEW.days}天,并早于保留期限",
    ),
    Refusal.SHORTER: (422, "invalid", "to shorten a hold needs a reason", "缩短保留期限须填写理由"),
    Refusal.NO_CHANGE: (422, "invalid", "nothing would change", "没有任何改动"),
    Refusal.NOTHING_RECORDED: (
        409,
        "nothing_recorded",
        "nothing is recorded there (any more)",
        "这段时间没有录像,或录像已删除",
    ),
    Refusal.TOO_MANY: (
        409,
        "too_many",
        "too many holds: release some first",
        "保留的录像过多,请先解除一些",
    ),
    Refusal.ALERT_HOLD: (
        409,
        "alert_hold",
        "an alert's footage is evidence: it is kept until its time is over",
        "告警录像是证据,到期前不能解除或更改",
    ),
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class PlaceBody(_Body):
    """A hold as a person wants it."""

    camera_id: LocalId
    start: AwareDatetime
    end: AwareDatetime
    until: AwareDatetime
    review_on: date
    reason: str


class ChangeBody(_Body):
    """What of a hold is to change; ``reason`` says why."""

    until: AwareDatetime | None = None
    review_on: date | None = None
    reason: str | None = None


class ReleaseBody(_Body):
    """Why a hold is released."""

    reason: str


class HoldAnswer(BaseModel):
    """One hold in force; ``id`` and what a person said only where a person placed it.

    One of an ``export`` ends with the work on it.
    """

    by: Literal["person", "alert", "export"]
    id: int | None = None
    alert_id: str | None = None
    camera_id: str
    start: datetime
    end: datetime
    until: datetime
    reason: str = ""
    placed_by: str | None = None
    placed_at: datetime | None = None
    review_on: date | None = None
    review_due: bool
    asked_s: float
    held_s: float
    held_bytes: int

    @classmethod
    def of(cls, kept: Kept) -> "HoldAnswer":
        """Return the answer that says ``kept``."""
        hold = kept.hold
        person = hold if isinstance(hold, PersonHold) else None
        return cls(
            by=_holder(hold),
            id=None if person is None else person.id,
            alert_id=hold.reason.removeprefix(ALERT_PREFIX) if _holder(hold) == "alert" else None,
            camera_id=hold.camera_id,
            start=hold.start,
            end=hold.end,
            until=hold.until,
            reason="" if person is None else person.reason,
            placed_by=None if person is None else person.placed_by,
            placed_at=None if person is None else person.placed_at,
            review_on=None if person is None else person.review_on,
            review_due=kept.review_due,
            asked_s=(hold.end - hold.start).total_seconds(),
            held_s=kept.recorded.total_seconds(),
            held_bytes=kept.size_bytes,
        )


def _holder(hold: PersonHold | Hold) -> Literal["person", "alert", "export"]:
    if isinstance(hold, PersonHold):
        return "person"
    return "alert" if hold.reason.startswith(ALERT_PREFIX) else "export"


class HoldsAnswer(BaseModel):
    """The holds in force."""

    holds: tuple[HoldAnswer, ...]
    left_out: int


class EventAnswer(BaseModel):
    """One act on a hold; the hold's terms are as they were after it."""

    id: int
    hold_id: int
    at: datetime
    act: Act
    actor: str
    note: str
    camera_id: str
    start: datetime
    end: datetime
    until: datetime
    review_on: date
    reason: str
    placed_by: str

    @classmethod
    def of(cls, event: HoldEvent) -> "EventAnswer":
        """Return the answer that says ``event``."""
        hold = event.hold
        return cls(
            id=event.id,
            hold_id=hold.id,
            at=event.at,
            act=event.act,
            actor=event.actor,
            note=event.note,
            camera_id=hold.camera_id,
            start=hold.start,
            end=hold.end,
            until=hold.until,
            review_on=hold.review_on,
            reason=hold.reason,
            placed_by=hold.placed_by,
        )


class HistoryAnswer(BaseModel):
    """Acts, newest first; ``next`` is what to ask for as ``before``, None at the end."""

    items: tuple[EventAnswer, ...]
    next: int | None


_Camera = Annotated[LocalId | None, Query(alias="camera")]
_Id = Annotated[int, Path(ge=1, lt=2**63)]


class HoldRoutes:
    """One method a route; all block, so they run in worker threads."""

    def __init__(self, desk: HoldDesk) -> None:
        self._desk = desk

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/v1/holds")
        router.add_api_route("", self.in_force)
        router.add_api_route("/history", self.history)
        router.add_api_route("", self.place, methods=["POST"], status_code=201)
        router.add_api_route("/{hold_id}", self.change, methods=["PATCH"])
        router.add_api_route("/{hold_id}", self.release, methods=["DELETE"], status_code=204)
        return router

    def in_force(self, camera_id: _Camera = None) -> HoldsAnswer:
        """List the holds in force, persons' and alerts'."""
        found = self._desk.in_force(camera_id, MAX_LISTED)
        return HoldsAnswer(holds=tuple(map(HoldAnswer.of, found.holds)), left_out=found.left_out)

    def history(
        self,
        camera_id: _Camera = None,
        before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_EVENTS)] = MAX_EVENTS,
    ) -> HistoryAnswer:
        """List what was done to persons' holds."""
        events = self._desk.history(camera_id, before, limit)
        more = events[-1].id if len(events) == limit else None
        return HistoryAnswer(items=tuple(map(EventAnswer.of, events)), next=more)

    def place(self, body: PlaceBody, actor: ActorDep) -> HoldAnswer:
        """Keep a stretch of a camera's footage."""
        terms = Terms(body.until, body.review_on)
        wanted = Placing(body.camera_id, body.start, body.end, body.reason, terms)
        try:
            return HoldAnswer.of(self._desk.place(wanted, actor))
        except RefusedError as error:
            raise _problem(error) from None

    def change(self, hold_id: _Id, body: ChangeBody, actor: ActorDep) -> HoldAnswer:
        """Give a hold another end or another day of review."""
        try:
            kept = self._desk.change(
                hold_id, actor, until=body.until, review_on=body.review_on, reason=body.reason
            )
        except RefusedError as error:
            raise _problem(error) from None
        return HoldAnswer.of(kept)

    def release(self, hold_id: _Id, body: ReleaseBody, actor: ActorDep) -> None:
        """End a hold before its time."""
        try:
            self._desk.release(hold_id, actor, body.reason)
        except RefusedError as error:
            raise _problem(error) from None


def _problem(error: RefusedError) -> Problem:
    return Problem(*_PROBLEMS[Refusal(error.why)])

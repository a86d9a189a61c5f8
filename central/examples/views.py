"""Examples as the interface sees them."""

from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from central.codes import ExampleAct, FalseReason
from central.db.models import Example, ExampleDue, ExampleEntry
from central.examples.keeper import Choice
from central.examples.rule import shows_no_fire
from central.examples.shelf import counted
from central.people.views import PersonView, View, person_views
from protocol.messages import AlertKind

#: Entries of the record that are shown.
_NEWEST = 20


class ExampleView(View):
    """One example; its picture is at ``/examples/{id}/picture``."""

    id: int
    kind: AlertKind
    reason: FalseReason
    model: str | None
    camera: str
    day: date
    size_bytes: int


class ExamplePage(View):
    """A page of examples, newest first; ``next`` goes into ``before`` of the next one."""

    items: list[ExampleView]
    next: int | None


class KindCount(View):
    """How many of one kind and reason; ``negative``: nothing burns in them, says the reason."""

    kind: AlertKind
    reason: FalseReason
    pictures: int
    negative: bool


class EntryView(View):
    """What became of examples; without a person where it went by itself."""

    at: datetime
    act: ExampleAct
    pictures: int
    person: PersonView | None
    reason: str


class ExampleSummary(View):
    """Whether examples are kept, within which limits, what there is, and what became of others."""

    keeps: bool
    keep_days: int
    max_pictures: int
    max_bytes: int
    pictures: int
    size_bytes: int
    cameras: int
    waiting: int
    counts: list[KindCount]
    gone: dict[ExampleAct, int]
    entries: list[EntryView]


def example_view(row: Example) -> ExampleView:
    """Return one example as the interface sees it."""
    return ExampleView(
        id=row.id,
        kind=row.kind,
        reason=row.reason,
        model=row.model,
        camera=row.camera,
        day=date.fromisoformat(row.day),
        size_bytes=row.size_bytes,
    )


def example_page(session: Session, before: int | None, limit: int) -> ExamplePage:
    """Return at most ``limit`` examples that were kept before that one, newest first."""
    query = select(Example).order_by(Example.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(Example.id < before)
    found = list(session.scalars(query))
    following = found[limit - 1].id if len(found) > limit else None
    return ExamplePage(items=[example_view(row) for row in found[:limit]], next=following)


def example_summary(session: Session, choice: Choice) -> ExampleSummary:
    """Return all that a page says above the pictures."""
    groups = session.execute(
        select(Example.kind, Example.reason, func.count(), func.sum(Example.size_bytes))
        .group_by(Example.kind, Example.reason)
        .order_by(func.count().desc(), Example.kind, Example.reason)
    ).all()
    cameras = session.execute(select(func.count(Example.camera.distinct()))).scalar_one()
    waiting = session.execute(select(func.count()).select_from(ExampleDue)).scalar_one()
    return ExampleSummary(
        keeps=choice.keeps,
        keep_days=choice.limits.keep_days,
        max_pictures=choice.limits.max_pictures,
        max_bytes=choice.limits.max_bytes,
        pictures=sum(pictures for _, _, pictures, _ in groups),
        size_bytes=sum(int(size) for _, _, _, size in groups),
        cameras=cameras,
        waiting=waiting,
        counts=[
            KindCount(
                kind=kind, reason=reason, pictures=pictures, negative=shows_no_fire(kind, reason)
            )
            for kind, reason, pictures, _ in groups
        ],
        gone=counted(session),
        entries=_entries(session),
    )


def _entries(session: Session) -> list[EntryView]:
    rows = session.scalars(select(ExampleEntry).order_by(ExampleEntry.id.desc()).limit(_NEWEST))
    found = list(rows)
    people = person_views(session, (row.person_id for row in found))
    return [
        EntryView(
            at=row.at,
            act=row.act,
            pictures=row.pictures,
            person=people.get(row.person_id or ""),
            reason=row.reason,
        )
        for row in found
    ]

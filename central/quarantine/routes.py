"""The quarantine, for the administrator alone: look, take once more, discard."""

from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from central.http.access import ADMIN, ActorDep, allow
from central.http.centre import CentreDep
from central.http.given import Body
from central.people.views import View
from central.quarantine.views import (
    QuarantineEntryView,
    QuarantinePage,
    Wanted,
    newest_entries,
    quarantine_page,
    replayable_digests,
)

router = APIRouter(prefix="/api/v1/quarantine", tags=["quarantine"])

#: Messages that one request takes once more: each is a transaction of its own.
MOST_AT_ONCE = 200

Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
Words = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]


class Replay(Body):
    """What to take once more: these, or what fits (null is all), from ``after`` on."""

    box_id: str | None = Field(default=None, max_length=32)
    reason: str | None = Field(default=None, max_length=200)
    digests: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] | None = Field(
        default=None, max_length=MOST_AT_ONCE
    )
    after: str = Field(default="", max_length=64)


class Discard(Body):
    """Why a message is let go, for the ledger."""

    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class OutcomeView(View):
    """What became of a message; ``reason`` is why it still is none, empty where it is an event."""

    digest: str
    reason: str


class Replayed(View):
    """How it went. ``next`` goes into ``after`` of the next request; null: that was all."""

    taken: int
    kept: list[OutcomeView]
    next: str | None


@router.get("", **allow(*ADMIN))
def quarantine(
    centre: CentreDep,
    box_id: Words | None = None,
    reason: Words | None = None,
    doubled: bool | None = None,
    before: Words | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> QuarantinePage:
    """List what could not be understood, the last that came first."""
    with centre.database.read() as session:
        return quarantine_page(session, Wanted(box_id, reason, doubled), before, limit)


@router.get("/ledger", **allow(*ADMIN))
def ledger(centre: CentreDep) -> list[QuarantineEntryView]:
    """Return what people last did with what was in quarantine, newest first."""
    with centre.database.read() as session:
        return newest_entries(session)


@router.post("/replay", **allow(*ADMIN))
def replay(body: Replay, actor: ActorDep, centre: CentreDep) -> Replayed:
    """Take events once more, as if they came now: a mended centre understands them."""
    digests = body.digests
    following = None
    if digests is None:
        with centre.database.read() as session:
            wanted = Wanted(body.box_id, body.reason)
            digests = replayable_digests(session, wanted, body.after, MOST_AT_ONCE + 1)
        if len(digests) > MOST_AT_ONCE:
            digests = digests[:MOST_AT_ONCE]
            following = digests[-1]
    outcomes = centre.quarantine.replay(digests, actor.id)
    kept = [OutcomeView(digest=one.digest, reason=one.reason) for one in outcomes if one.reason]
    return Replayed(taken=len(outcomes) - len(kept), kept=kept, next=following)


@router.post("/{digest}/discard", status_code=204, **allow(*ADMIN))
def discard(digest: Digest, body: Discard, actor: ActorDep, centre: CentreDep) -> None:
    """Let a message go for good; who and why is entered."""
    centre.quarantine.discard(digest, actor.id, body.reason.strip())

"""What people have boxes do (指令): given, followed, and what came of it."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, JsonValue, StringConstraints

from central.commands.desk import Asked
from central.commands.masks import MaskList, mask_list
from central.commands.views import CommandPage, CommandView, command_page, command_views
from central.db.models import BoxCommand
from central.http.access import DUTY, ActorDep, SignedDep, allow
from central.http.centre import CentreDep
from central.http.given import Body
from protocol.messages import LONGEST_COMMAND_S

router = APIRouter(prefix="/api/v1/boxes", tags=["commands"])

#: A box that is away for longer is not to do later what somebody wanted now.
_USUAL_S = 3600


class Command(Body):
    """What a box is to do, within how long, and what for."""

    kind: str = Field(max_length=32)
    arguments: dict[str, JsonValue]
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    within_s: int = Field(default=_USUAL_S, ge=60, le=LONGEST_COMMAND_S)


@router.get("/{box_id}/commands", **allow(*DUTY))
def commands(
    box_id: str,
    centre: CentreDep,
    before: UUID | None = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
) -> CommandPage:
    """List a box's commands, newest first."""
    with centre.database.read() as session:
        return command_page(session, box_id, before, limit)


@router.get("/{box_id}/masks", **allow(*DUTY))
def masks(box_id: str, centre: CentreDep) -> MaskList:
    """List what rules of a box look past by a person's word."""
    with centre.database.read() as session:
        return mask_list(session, box_id)


@router.post("/{box_id}/commands", status_code=202, **allow(*DUTY))
def command(
    box_id: str, body: Command, signed: SignedDep, actor: ActorDep, centre: CentreDep
) -> CommandView:
    """Give a box a command; some kinds are for the administrator alone (403)."""
    within = timedelta(seconds=body.within_s)
    asked = Asked(box_id, body.kind, body.arguments, body.reason, within)
    command_id = centre.commands.ask(asked, signed, actor)
    with centre.database.read() as session:
        return command_views(session, [session.get_one(BoxCommand, command_id)])[0]

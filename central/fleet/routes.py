"""The boxes, for those who look after them."""

import logging
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from central.codes import UpgradeRing
from central.db.models import Box
from central.errors import NotFoundError
from central.fleet.views import FleetBoxView, fleet_views
from central.http.access import ADMIN, DUTY, SignedDep, allow
from central.http.centre import CentreDep
from central.http.given import Body

log = logging.getLogger(__name__)

router = APIRouter(prefix="/api/v1/boxes", tags=["boxes"])


@router.get("", **allow(*DUTY))
def boxes(centre: CentreDep) -> list[FleetBoxView]:
    """Return every box: how it is, what waits on it, and what is wrong."""
    with centre.database.read() as session:
        return fleet_views(session, centre.clock.now())


class Upgrade(Body):
    """Which ring a box is in, and what it is to run: empty where it stays as it is."""

    upgrade_ring: UpgradeRing
    target_version: Annotated[str, Field(max_length=40, pattern=r"^[0-9A-Za-z.+_-]*$")]


@router.put("/{box_id}/upgrade", status_code=204, **allow(*ADMIN))
def plan_upgrade(box_id: str, given: Upgrade, signed: SignedDep, centre: CentreDep) -> None:
    """Note which version a box is to run. It installs nothing: who upgrades boxes goes by it."""
    with centre.database.write() as session:
        box = session.get(Box, box_id, with_for_update=True)
        if box is None:
            raise NotFoundError(f"there is no box '{box_id}'")
        box.upgrade_ring, box.target_version = given.upgrade_ring, given.target_version
    log.info(
        "fleet.upgrade_planned",
        extra={"box": box_id, "by": signed.username, **given.model_dump(mode="json")},
    )

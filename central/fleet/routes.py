"""The boxes, for those who look after them."""

from fastapi import APIRouter

from central.fleet.views import FleetBoxView, fleet_views
from central.http.access import DUTY, allow
from central.http.centre import CentreDep

router = APIRouter(prefix="/api/v1/boxes", tags=["boxes"])


@router.get("", **allow(*DUTY))
def boxes(centre: CentreDep) -> list[FleetBoxView]:
    """Return every box: how it is, what waits on it, and what is wrong."""
    with centre.database.read() as session:
        return fleet_views(session, centre.clock.now())

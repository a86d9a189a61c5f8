"""What stands where, and who works here."""

from fastapi import APIRouter
from sqlalchemy import select

from central.db.models import Person
from central.http.access import ANY, DUTY, allow
from central.http.centre import CentreDep
from central.people.views import PersonView, person_view
from central.sites.views import SitesView, sites_view

router = APIRouter(prefix="/api/v1", tags=["sites"])


@router.get("/sites", **allow(*ANY))
def sites(centre: CentreDep) -> SitesView:
    """Return regions, grids, boxes and cameras."""
    with centre.database.read() as session:
        return sites_view(session, centre.clock.now())


@router.get("/people", **allow(*DUTY))
def people(centre: CentreDep) -> list[PersonView]:
    """Return the village's staff."""
    with centre.database.read() as session:
        found = session.scalars(
            select(Person)
            .where(Person.region_code == centre.village.region_code, Person.active)
            .order_by(Person.id)
        )
        return [person_view(person) for person in found]

"""People as the interface sees them."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.db.models import Person


class View(BaseModel):
    """Base of every JSON shape the centre answers with."""

    model_config = ConfigDict(frozen=True)


class PersonView(View):
    """Someone of the staff. A PIN is never shown, only whether there is one."""

    id: str
    name: str
    post: str
    phone: str
    has_pin: bool


def person_view(person: Person) -> PersonView:
    """Return a person as the interface sees them."""
    return PersonView(
        id=person.id,
        name=person.name,
        post=person.post,
        phone=person.phone,
        has_pin=person.pin_hash is not None,
    )


def person_views(session: Session, ids: Iterable[str | None]) -> dict[str, PersonView]:
    """Return people by id, in one query."""
    wanted = {person_id for person_id in ids if person_id is not None}
    if not wanted:
        return {}
    found = session.scalars(select(Person).where(Person.id.in_(wanted)))
    return {person.id: person_view(person) for person in found}

"""What a request may say: only what both databases keep."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, field_validator

#: A moment's year, in UTC. Far within what Python, PostgreSQL and any time zone can say.
FIRST_YEAR, LAST_YEAR = 1900, 8999


def check_moment(moment: datetime) -> datetime:
    """Return an aware moment that can be kept and told in any zone. Raises ValueError."""
    try:
        year = moment.astimezone(UTC).year
    except OverflowError:
        year = moment.year
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"a time lies between the years {FIRST_YEAR} and {LAST_YEAR}")
    return moment


#: A moment with its offset.
Moment = Annotated[AwareDatetime, AfterValidator(check_moment)]


class Body(BaseModel):
    """Base of every JSON body: nothing unknown in it, and no character U+0000.

    PostgreSQL can't keep that character, and the centre is one on both databases.
    """

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    @field_validator("*")
    @classmethod
    def _keepable(cls, value: object) -> object:
        if isinstance(value, str) and "\0" in value:
            raise ValueError("must not hold the character U+0000")
        return value

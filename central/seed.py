"""What a village enters once: its grids, people, accounts, boxes and its roster's pattern.

The format is one TOML file; configs/village-seed.example.toml explains it.
"""

from datetime import date, time
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from central.codes import Post, Role
from central.config import parse
from central.section import Secret
from protocol.messages import BoxId, GridCode

Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
Name = Annotated[str, Field(min_length=1, max_length=40)]


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


Keys = Annotated[tuple[Key, ...], BeforeValidator(_listed)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class SeedGrid(_Section):
    """A grid and who looks after it."""

    code: GridCode
    name: Name
    worker: Key | None = None


class SeedPerson(_Section):
    """Someone of the staff; with a PIN they can sign at the wall."""

    id: Key
    name: Name
    post: Name
    phone: str = Field(default="", max_length=20)
    pin: Secret | None = None


class SeedUser(_Section):
    """An account; only a wall's belongs to nobody."""

    username: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    role: Role
    name: Name
    person: Key | None = None
    password: Secret

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        if (self.role is Role.WALL) == (self.person is not None):
            raise ValueError("a wall's account has no 'person', any other has one")
        return self


class SeedBox(_Section):
    """A box and the token it signs in with."""

    id: BoxId
    name: Name
    token: Secret


class SeedShift(_Section):
    """A shift of every day; one that ends by its start ends the next day."""

    name: str = Field(min_length=1, max_length=20)
    start: time
    end: time


class SeedTeam(_Section):
    """Who has a day: a person's key, or a list of them, for each post."""

    lead: Keys = ()
    officer: Keys = ()
    deputy: Keys = ()
    standby: Keys = ()

    def members(self) -> list[tuple[Post, str]]:
        """Return posts and people, the highest post first."""
        return [(post, key) for post in Post for key in getattr(self, post.value)]


class SeedRoster(_Section):
    """A daily rotation: the day ``first_day`` + n belongs to team n, and so on round.

    Shifts are made for ``days`` days from today; days that have shifts already are left alone.
    """

    first_day: date
    days: int = Field(default=31, ge=1, le=366)
    shifts: Annotated[tuple[SeedShift, ...], Field(min_length=1, max_length=5)]
    teams: Annotated[tuple[SeedTeam, ...], Field(min_length=1, max_length=100)]


class Seed(_Section):
    """The whole file."""

    grids: tuple[SeedGrid, ...] = ()
    people: tuple[SeedPerson, ...] = ()
    users: tuple[SeedUser, ...] = ()
    boxes: tuple[SeedBox, ...] = ()
    roster: SeedRoster | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        people = [person.id for person in self.people]
        for what, keys in (
            ("people", people),
            ("grids", [grid.code for grid in self.grids]),
            ("users", [user.username for user in self.users]),
            ("boxes", [box.id for box in self.boxes]),
        ):
            if len(set(keys)) != len(keys):
                raise ValueError(f"'{what}' must all be different")
        named = {
            *(grid.worker for grid in self.grids if grid.worker),
            *(user.person for user in self.users if user.person),
        }
        if self.roster is not None:
            named |= {key for team in self.roster.teams for _, key in team.members()}
        if unknown := sorted(named - set(people)):
            raise ValueError(f"not among 'people': {', '.join(unknown)}")
        return self


def load_seed(path: Path) -> Seed:
    """Return the seed in ``path``; relative secret files are below its folder.

    Raises ConfigError as :func:`central.config.load` does.
    """
    seed, folder = parse(path, Seed), path.resolve().parent
    people = [
        one.model_copy(update={"pin": one.pin.below(folder)}) if one.pin else one
        for one in seed.people
    ]
    users = [one.model_copy(update={"password": one.password.below(folder)}) for one in seed.users]
    boxes = [one.model_copy(update={"token": one.token.below(folder)}) for one in seed.boxes]
    return seed.model_copy(
        update={"people": tuple(people), "users": tuple(users), "boxes": tuple(boxes)}
    )

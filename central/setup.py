"""Entering a village: what ``python -m central setup`` does. It may be done again at any time."""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import SecretStr
from sqlalchemy import select
from sqlalchemy.orm import Session

from central.auth.passwords import hash_password, verify
from central.auth.tokens import hash_token
from central.codes import FeedKind, Role
from central.config import VillageSection
from central.db.engine import Database
from central.db.models import Account, Box, Grid, Person, Region
from central.duty.pattern import DailyShift, PlannedShift, rotate
from central.duty.resolve import OnDuty
from central.duty.roster import add_shifts, lock_roster, shifts_between
from central.errors import ConfigError
from central.people.retirement import end_sessions, leave_walls
from central.seed import Seed, SeedRoster
from central.wall.feed import publish
from protocol.clock import Clock

_PIN = re.compile(r"^[0-9]{4,8}$")
PASSWORD_MIN = 8
_TOKEN_MIN = 16


@dataclass(frozen=True, slots=True)
class Entered:
    """How much of it is there now, and how many shifts were made."""

    grids: int
    people: int
    users: int
    boxes: int
    new_shifts: int


def enter(database: Database, clock: Clock, village: VillageSection, seed: Seed) -> Entered:
    """Bring the database to what ``seed`` says, in one transaction.

    What the seed does not name stays. PINs and passwords are those of the secret files again.
    Raises ConfigError where a secret is missing or too weak, StoreUnavailableError.
    """
    pins = {one.id: _pin(one.id, one.pin.read()) for one in seed.people if one.pin}
    if len(set(pins.values())) != len(pins):
        raise ConfigError("'people': two PINs are the same; each person needs their own")
    passwords = {one.username: _password(one.username, one.password.read()) for one in seed.users}
    tokens = {one.id: _token(one.id, one.token.read()) for one in seed.boxes}
    with database.write() as session:
        _refuse_retired(session, seed)
        session.merge(Region(code=village.region_code, name=village.name))
        session.flush()
        lock_roster(session, village.region_code)
        for one in seed.people:
            _person(session, village, one.id, one.name, one.post, one.phone, pins.get(one.id))
        session.flush()
        _refuse_used_pins(session, village, pins, seed)
        for grid in seed.grids:
            session.merge(
                Grid(
                    code=grid.code,
                    region_code=village.region_code,
                    name=grid.name,
                    worker_id=grid.worker,
                )
            )
        for user in seed.users:
            put_account(
                session, user.username, user.role, user.name, user.person, passwords[user.username]
            )
        for box in seed.boxes:
            _box(session, village.region_code, box.id, box.name, tokens[box.id])
        made = _roster(session, clock, village, seed.roster) if seed.roster else 0
        publish(session, clock.now(), [(FeedKind.DUTY, village.region_code)])
    return Entered(len(seed.grids), len(seed.people), len(seed.users), len(seed.boxes), made)


def put_account(
    session: Session, username: str, role: Role, name: str, person_id: str | None, password: str
) -> None:
    """Enter an account, or change the one of this name; a retired one counts again.

    A password is hashed only if it changed. A new password, role or person ends the account's
    sessions. Raises ConfigError where the person is retired.
    """
    if person_id is not None and not session.get_one(Person, person_id).active:
        raise ConfigError(f"'{person_id}' is retired: take them on again with retire --undo")
    account = session.get(Account, username)
    if account is None:
        account = Account(username=username, password_hash=hash_password(password))
        session.add(account)
    else:
        is_new = not verify(password, account.password_hash)
        if is_new:
            account.password_hash = hash_password(password)
        if is_new or (account.role, account.person_id) != (role, person_id):
            end_sessions(session, username)
    account.role, account.name, account.person_id = role, name, person_id
    account.active = True


def check_password(username: str, password: str) -> str:
    """Return a password that is long enough. Raises ConfigError."""
    if len(password) < PASSWORD_MIN:
        raise ConfigError(f"password of '{username}': at least {PASSWORD_MIN} characters")
    return password


def _person(
    session: Session,
    village: VillageSection,
    key: str,
    name: str,
    post: str,
    phone: str,
    pin: str | None,
) -> None:
    person = session.get(Person, key)
    if person is None:
        person = Person(id=key, region_code=village.region_code, active=True)
        session.add(person)
    person.name, person.post, person.phone = name, post, phone
    if (pin is None and person.pin_hash is None) or (pin and verify(pin, person.pin_hash)):
        return
    person.pin_hash = hash_password(pin) if pin else None
    leave_walls(session, key)  # who stands there does so by the old PIN


def _refuse_retired(session: Session, seed: Seed) -> None:
    for one in seed.people:
        person = session.get(Person, one.id)
        if person is not None and not person.active:
            raise ConfigError(
                f"'people': '{one.id}' is retired: take them out of the seed, "
                "or take them on again with retire --undo"
            )
    for user in seed.users:
        account = session.get(Account, user.username)
        if account is not None and not account.active:
            raise ConfigError(
                f"'users': '{user.username}' is retired: take it out of the seed, "
                "or enter it again with add-user"
            )


def _refuse_used_pins(
    session: Session, village: VillageSection, pins: dict[str, str], seed: Seed
) -> None:
    """Refuse a PIN of somebody whom the seed does not name. Takes some 20 ms for each pair."""
    others = session.scalars(
        select(Person.pin_hash).where(
            Person.region_code == village.region_code,
            Person.active,
            Person.pin_hash.is_not(None),
            Person.id.not_in([one.id for one in seed.people]),
        )
    ).all()
    for key, pin in pins.items():
        if any(verify(pin, other) for other in others):
            raise ConfigError(f"'people': the PIN of '{key}' is another person's already")


def _box(session: Session, region_code: str, key: str, name: str, token: str) -> None:
    box = session.get(Box, key)
    if box is None:
        box = Box(id=key, name=name)
        session.add(box)
    box.region_code, box.token_sha256 = region_code, hash_token(token)


def _roster(session: Session, clock: Clock, village: VillageSection, roster: SeedRoster) -> int:
    """Make the shifts of the coming days that have none yet; return how many."""
    today = clock.now().astimezone(village.zone).date()
    # From yesterday: its night shift is still on.
    begin = max(roster.first_day, today - timedelta(days=1))
    planned = rotate(
        roster.first_day,
        begin,
        roster.days,
        [DailyShift(shift.name, shift.start, shift.end) for shift in roster.shifts],
        [tuple(OnDuty(key, post) for post, key in team.members()) for team in roster.teams],
        village.zone,
    )
    missing = [shift for shift in planned if not _has_shifts(session, village, shift)]
    add_shifts(session, village.region_code, missing)
    return len(missing)


def _has_shifts(session: Session, village: VillageSection, planned: PlannedShift) -> bool:
    start = _midnight(planned.start, village.zone)
    end = _midnight(start + timedelta(days=1, hours=6), village.zone)
    return bool(shifts_between(session, village.region_code, start, end))


def _midnight(moment: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(moment.astimezone(zone).date(), time(), zone)


def _pin(key: str, pin: SecretStr) -> str:
    if not _PIN.match(pin.get_secret_value()):
        raise ConfigError(f"PIN of '{key}': four to eight digits")
    return pin.get_secret_value()


def _password(username: str, password: SecretStr) -> str:
    return check_password(username, password.get_secret_value())


def _token(box_id: str, token: SecretStr) -> str:
    if len(token.get_secret_value()) < _TOKEN_MIN:
        raise ConfigError(f"token of box '{box_id}': at least {_TOKEN_MIN} random characters")
    return token.get_secret_value()

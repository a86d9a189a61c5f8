"""Leaving the staff: who has gone signs in nowhere, and nothing is left waiting for them."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from central.codes import IncidentState
from central.db.models import Account, Incident, Person, Session
from central.duty.resolve import ShiftPlan
from central.duty.roster import duty_at, lock_roster, shifts_after
from central.errors import ConfigError


def retire_person(transaction: Transaction, person_id: str, now: datetime) -> None:
    """Take a person off the staff, with their accounts, sessions and PIN; again changes nothing.

    History keeps them. Raises ConfigError where there is no such person, and where shifts that are
    not over or open incidents still name them: those must be somebody else's first.
    """
    person = transaction.get(Person, person_id)
    if person is None:
        raise ConfigError(f"there is no person '{person_id}'")
    lock_roster(transaction, person.region_code)
    if shifts := _shifts(transaction, person, now):
        names = ", ".join(f"{shift.name} {shift.start.isoformat()}" for shift in shifts)
        raise ConfigError(f"shifts still name '{person_id}': {names}; change the roster first")
    if serials := _open_incidents(transaction, person_id):
        raise ConfigError(
            f"open incidents still belong to '{person_id}': {', '.join(serials)}; "
            "give them to somebody else first"
        )
    person.active, person.pin_hash = False, None
    leave_walls(transaction, person_id)
    for username in transaction.scalars(
        select(Account.username).where(Account.person_id == person_id)
    ).all():
        retire_account(transaction, username)


def retire_account(transaction: Transaction, username: str) -> None:
    """Let nobody sign in by this account, and end its sessions. Raises ConfigError."""
    account = transaction.get(Account, username)
    if account is None:
        raise ConfigError(f"there is no account '{username}'")
    account.active = False
    end_sessions(transaction, username)


def reinstate(transaction: Transaction, person_id: str) -> None:
    """Take a person on again. PIN and accounts are entered anew. Raises ConfigError."""
    person = transaction.get(Person, person_id)
    if person is None:
        raise ConfigError(f"there is no person '{person_id}'")
    person.active = True


def end_sessions(transaction: Transaction, username: str) -> None:
    """Sign every browser of an account out."""
    transaction.execute(delete(Session).where(Session.username == username))


def leave_walls(transaction: Transaction, person_id: str) -> None:
    """Let a person stand at no wall."""
    transaction.execute(
        update(Session)
        .where(Session.operator_id == person_id)
        .values(operator_id=None, operator_until=None)
    )


def _shifts(transaction: Transaction, person: Person, now: datetime) -> Sequence[ShiftPlan]:
    """Return the shifts of now and ahead that name a person; a shift held over is not over."""
    has_it = duty_at(transaction, person.region_code, now)
    ahead = shifts_after(transaction, person.region_code, now)
    if has_it is not None and has_it.held_over:
        ahead = [has_it.shift, *ahead]
    return [shift for shift in ahead if person.id in {one.person_id for one in shift.people}]


def _open_incidents(transaction: Transaction, person_id: str) -> Sequence[str]:
    return transaction.scalars(
        select(Incident.serial)
        .where(Incident.owner_id == person_id, Incident.state != IncidentState.CLOSED)
        .order_by(Incident.serial)
    ).all()

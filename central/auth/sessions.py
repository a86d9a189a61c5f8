"""Signed-in browsers, and who stands at a wall."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session as Transaction

from central.auth.limits import TryLimits
from central.auth.passwords import verify
from central.auth.tokens import hash_token, new_token
from central.codes import Role
from central.db.engine import Database
from central.db.models import Account, Person, Session
from central.duty.roster import duty_at, relieved_at
from central.errors import SignInError
from central.people.views import PersonView, person_view
from protocol.clock import Clock

#: A session's end moves on with its use, but is not written at every request.
_RENEW_FRACTION = 0.1


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long a browser stays signed in."""

    region_code: str
    person_for: timedelta
    wall_for: timedelta
    operator_for: timedelta


@dataclass(frozen=True, slots=True)
class Signed:
    """Who sent a request. ``person`` acts: the account's own, or the operator at a wall."""

    session_sha256: str
    username: str
    name: str
    role: Role
    person: PersonView | None
    operator: PersonView | None


class SessionDesk:
    """Signs browsers in and out. A session is 256 random bits, of which the SHA-256 is kept."""

    def __init__(
        self, database: Database, clock: Clock, limits: TryLimits, rules: SessionRules
    ) -> None:
        self._database = database
        self._clock = clock
        self._limits = limits
        self._rules = rules

    def sign_in(self, username: str, password: str, address: str) -> str:
        """Return a new session's token. Takes tens of milliseconds of one core.

        Raises SignInError, TooManyTriesError.
        """
        self._limits.count_sign_in(username, address)
        with self._database.read() as transaction:
            account = transaction.get(Account, username)
        kept = account.password_hash if account is not None and account.active else None
        if not verify(password, kept) or account is None:
            raise SignInError("name or password is wrong")
        self._limits.forget_sign_in(username)
        token, now = new_token(), self._clock.now()
        with self._database.write() as transaction:
            # A password changed meanwhile has ended its sessions: this one must not come after.
            now_kept = transaction.get_one(Account, username, with_for_update={"read": True})
            if not now_kept.active or now_kept.password_hash != kept:
                raise SignInError("name or password is wrong")
            transaction.add(
                Session(
                    id_sha256=hash_token(token),
                    username=username,
                    created_at=now,
                    expires_at=now + self._lifetime(account.role),
                )
            )
        return token

    def find(self, token: str) -> Signed:
        """Return who a token belongs to, and let the session go on. Raises SignInError."""
        now, key = self._clock.now(), hash_token(token)
        with self._database.read() as transaction:
            row = transaction.execute(
                select(Session, Account)
                .join(Account, Account.username == Session.username)
                .where(Session.id_sha256 == key, Session.expires_at > now, Account.active)
            ).first()
            if row is None:
                raise SignInError("not signed in, or no longer")
            session, account = row
            operator = self._operator(transaction, session, now)
            person = transaction.get(Person, account.person_id) if account.person_id else None
        lifetime = self._lifetime(account.role)
        if session.expires_at < now + lifetime * (1 - _RENEW_FRACTION):
            self._renew(key, now + lifetime)
        return Signed(
            session_sha256=key,
            username=account.username,
            name=account.name,
            role=account.role,
            person=operator or (person_view(person) if person else None),
            operator=operator,
        )

    def sign_out(self, signed: Signed) -> None:
        """End a session."""
        with self._database.write() as transaction:
            transaction.execute(delete(Session).where(Session.id_sha256 == signed.session_sha256))

    def operator_in(self, signed: Signed, pin: str) -> None:
        """Let the person with this PIN stand at the wall until the shift ends.

        Where it is held over, or nobody is on duty: for a while. In any case they leave when a
        shift begins that they are not in.

        Who is on duty is asked first, so that of two equal PINs theirs counts. Takes some 20 ms of
        one core a person. Raises SignInError, TooManyTriesError.
        """
        self._limits.count_pin(signed.username)
        now = self._clock.now()
        with self._database.read() as transaction:
            shift = duty_at(transaction, self._rules.region_code, now)
            people = self._people_with_pin(transaction)
        on_duty = {one.person_id for one in shift.shift.people} if shift else set()
        ordered = sorted(people, key=lambda person: (person.id not in on_duty, person.id))
        found = next((person for person in ordered if verify(pin, person.pin_hash)), None)
        if found is None:
            raise SignInError("no one of the village has this PIN")
        self._limits.take_back_pin(signed.username)
        until = now + self._rules.operator_for
        if shift is not None and not shift.held_over:
            until = shift.shift.end
        with self._database.read() as transaction:
            relieved = relieved_at(transaction, self._rules.region_code, now, found.id)
        self._stand(signed, found.id, min(until, relieved or until))

    def operator_out(self, signed: Signed) -> None:
        """Let nobody stand at the wall."""
        self._stand(signed, None, None)

    def prune(self) -> None:
        """Forget the sessions that have ended, and old tries."""
        self._limits.prune()
        with self._database.write() as transaction:
            transaction.execute(delete(Session).where(Session.expires_at <= self._clock.now()))

    def _lifetime(self, role: Role) -> timedelta:
        return self._rules.wall_for if role is Role.WALL else self._rules.person_for

    def _renew(self, key: str, expires_at: datetime) -> None:
        with self._database.write() as transaction:
            session = transaction.get(Session, key)
            if session is not None:
                session.expires_at = expires_at

    def _stand(self, signed: Signed, person_id: str | None, until: datetime | None) -> None:
        with self._database.write() as transaction:
            session = transaction.get(Session, signed.session_sha256)
            if session is None:
                raise SignInError("not signed in, or no longer")
            session.operator_id, session.operator_until = person_id, until

    def _people_with_pin(self, transaction: Transaction) -> Sequence[Person]:
        return transaction.scalars(
            select(Person).where(
                Person.region_code == self._rules.region_code,
                Person.active,
                Person.pin_hash.is_not(None),
            )
        ).all()

    @staticmethod
    def _operator(transaction: Transaction, session: Session, now: datetime) -> PersonView | None:
        if session.operator_id is None or session.operator_until is None:
            return None
        person = transaction.get(Person, session.operator_id)
        if person is None or not person.active or session.operator_until <= now:
            return None
        return person_view(person)

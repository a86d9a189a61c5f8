"""How often anyone may try a password or a PIN: counted in the database, for all replicas."""

import math
from datetime import timedelta
from typing import Any

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter
from sqlalchemy import delete, select, update

from central.db.engine import Database
from central.db.models import RateCount
from central.db.upsert import insert_into
from central.errors import TooManyTriesError
from protocol.clock import Clock

#: A person who forgot tries a handful of times; a guesser of a ten-bit password needs days.
PER_ACCOUNT = RateLimitItemPerMinute(10, 15)
#: A whole office may sit behind one address.
PER_ADDRESS = RateLimitItemPerMinute(40, 15)
#: A PIN may have four digits, and any of the staff's fits: a patient guesser is stopped by the day.
#: Only wrong ones are counted, by the wall's account: a new session gives no new tries.
PER_WALL = (RateLimitItemPerMinute(8, 5), RateLimitItemPerDay(30))


class TryLimits:
    """Counts tries by account, address and wall, and refuses when there were too many."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._counts = _CountsInDatabase(database, clock)
        self._limiter = FixedWindowRateLimiter(self._counts)

    def count_sign_in(self, username: str, address: str) -> None:
        """Count a try. Raises TooManyTriesError, also for the right password."""
        self._count(PER_ADDRESS, "address", address)
        self._count(PER_ACCOUNT, "account", username)

    def count_pin(self, username: str) -> None:
        """Count a try of a PIN at a wall, before it is known to be right.

        Raises TooManyTriesError, also for a right PIN.
        """
        for limit in PER_WALL:
            self._count(limit, "wall", username)

    def take_back_pin(self, username: str) -> None:
        """Take a counted try back: the PIN was right. The wrong ones stay counted."""
        for limit in PER_WALL:
            self._counts.take_back(limit.key_for("wall", username))

    def forget_sign_in(self, username: str) -> None:
        """Forget the account's tries: the right password came."""
        self._limiter.clear(PER_ACCOUNT, "account", username)

    def prune(self) -> None:
        """Forget the windows that are over."""
        with self._database.write() as session:
            session.execute(delete(RateCount).where(RateCount.expires_at <= self._clock.now()))

    def _count(self, limit: RateLimitItem, kind: str, who: str) -> None:
        if not self._limiter.hit(limit, kind, who):
            ends = self._limiter.get_window_stats(limit, kind, who).reset_time
            minutes = max(1, math.ceil((ends - self._clock.now().timestamp()) / 60))
            raise TooManyTriesError(f"too many tries; come back in {minutes} minutes")


class _CountsInDatabase(Storage):
    """What ``limits`` needs of a store, on the centre's own database and clock."""

    STORAGE_SCHEME = None

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self._database = database
        self._clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        """Nothing is wrapped: the database's errors are the centre's already."""
        return Exception

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Add to a window's count and return it; the window begins with its first try."""
        now = self._clock.now()
        ends = now + timedelta(seconds=expiry)
        with self._database.write() as session:
            session.execute(
                delete(RateCount).where(RateCount.key == key, RateCount.expires_at <= now)
            )
            statement = (
                insert_into(session, RateCount)
                .values(key=key, count=amount, expires_at=ends)
                .on_conflict_do_update(
                    index_elements=[RateCount.key], set_={"count": RateCount.count + amount}
                )
                .returning(RateCount.count)
            )
            return session.execute(statement).scalar_one()

    def take_back(self, key: str) -> None:
        """Take one from a window's count, if the window is still open."""
        with self._database.write() as session:
            session.execute(
                update(RateCount)
                .where(RateCount.key == key, RateCount.count > 0)
                .values(count=RateCount.count - 1)
            )

    def get(self, key: str) -> int:
        """Return a window's count."""
        found = self._find(key)
        return found.count if found else 0

    def get_expiry(self, key: str) -> float:
        """Return when a window ends, in seconds since 1970."""
        found = self._find(key)
        return (found.expires_at if found else self._clock.now()).timestamp()

    def check(self) -> bool:
        """Return whether the database answers."""
        with self._database.read() as session:
            return bool(session.execute(select(1)).scalar_one())

    def reset(self) -> int | None:
        """Forget every try."""
        with self._database.write() as session:
            gone: Any = session.execute(delete(RateCount))
            return int(gone.rowcount)

    def clear(self, key: str) -> None:
        """Forget a window's tries."""
        with self._database.write() as session:
            session.execute(delete(RateCount).where(RateCount.key == key))

    def _find(self, key: str) -> RateCount | None:
        with self._database.read() as session:
            return session.scalars(
                select(RateCount).where(
                    RateCount.key == key, RateCount.expires_at > self._clock.now()
                )
            ).first()

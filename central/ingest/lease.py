"""Which of several consumers reads what boxes say of themselves (protocol I15)."""

from datetime import timedelta

from sqlalchemy import func, update

from central.db.engine import Database
from central.db.models import ConsumerLease
from central.db.upsert import insert_into

#: A box is late at 90 s: a consumer that dies is followed long before.
TERM = timedelta(seconds=15)


class DatabaseLease:
    """Implements central.ports.Lease on PostgreSQL; its clock measures, so that no two differ.

    ``holder`` is the consumer's user name: one that is started again has its lease still.
    """

    def __init__(self, database: Database, holder: str) -> None:
        self._database = database
        self._holder = holder

    def keep(self) -> bool:
        """Take or prolong the lease; see the port. Blocks for one transaction."""
        until = func.now() + TERM
        with self._database.write() as session:
            statement = insert_into(session, ConsumerLease).values(
                one=1, holder=self._holder, until=until
            )
            taken = statement.on_conflict_do_update(
                index_elements=[ConsumerLease.one],
                set_={"holder": self._holder, "until": until},
                where=(ConsumerLease.holder == self._holder) | (ConsumerLease.until < func.now()),
            )
            return session.execute(taken.returning(ConsumerLease.one)).first() is not None

    def release(self) -> None:
        """End the term now, where it is ours; see the port."""
        with self._database.write() as session:
            session.execute(
                update(ConsumerLease)
                .where(ConsumerLease.holder == self._holder)
                .values(until=func.now() - TERM)
            )

"""What several consumers have in common: the name they share under, and which of them leads."""

import secrets
from datetime import timedelta

from sqlalchemy import func, select, update

from central.db.engine import Database
from central.db.models import ConsumerGroup
from central.db.upsert import insert_into

#: A box is late at 90 s: a leader that dies is followed long before.
TERM = timedelta(seconds=15)


class DatabaseGroup:
    """Implements central.ports.Lease on PostgreSQL; its clock measures, so that no two differ.

    ``member`` is the consumer's user name: one that is started again leads still.
    """

    def __init__(self, database: Database, member: str) -> None:
        self._database = database
        self._member = member

    def share(self) -> str:
        """Return the name of the group's shared subscription; made up once, for ever.

        No box may know it: Mosquitto lets anybody join a share, and what it then gives to one that
        may not read it is lost to the others. Raises StoreUnavailableError.
        """
        with self._database.write() as session:
            first = insert_into(session, ConsumerGroup).values(
                one=1, share=secrets.token_hex(16), leader="", leads_until=func.now()
            )
            session.execute(first.on_conflict_do_nothing(index_elements=[ConsumerGroup.one]))
            return session.scalars(select(ConsumerGroup.share)).one()

    def keep(self) -> bool:
        """Lead where nobody does, or go on leading; see the port. Blocks for one transaction."""
        is_ours = ConsumerGroup.leader == self._member
        with self._database.write() as session:
            led = session.execute(
                update(ConsumerGroup)
                .where(is_ours | (ConsumerGroup.leads_until <= func.now()))
                .values(leader=self._member, leads_until=func.now() + TERM)
                .returning(ConsumerGroup.one)
            )
            return led.first() is not None

    def release(self) -> None:
        """Lead no more, where we do; see the port."""
        with self._database.write() as session:
            session.execute(
                update(ConsumerGroup)
                .where(ConsumerGroup.leader == self._member)
                .values(leader="", leads_until=func.now())
            )

"""What the ledgers have in common."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, declared_attr, mapped_column

from central.db.types import BigKey


class LedgerColumns:
    """A ledger's entry. ``position`` counts from 1 without holes; ``hash`` covers the entry and
    ``prev_hash``, so that nothing in the middle can be changed or taken out unseen (incident I4).

    The database itself refuses to update or delete a row.
    """  # noqa: D205 - one sentence

    position: Mapped[int] = mapped_column(BigKey, primary_key=True, autoincrement=False)
    at: Mapped[datetime]
    action: Mapped[str]
    device: Mapped[str | None]
    from_state: Mapped[str | None]
    to_state: Mapped[str | None]
    note: Mapped[str] = mapped_column(default="")
    prev_hash: Mapped[str]
    hash: Mapped[str]

    @declared_attr
    def actor_id(self) -> Mapped[str | None]:
        """Return the person who did it; none where the system did."""
        return mapped_column(ForeignKey("person.id"))

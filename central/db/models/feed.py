"""The live feed: what changed, in the order in which it became visible."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import FeedKind
from central.db.base import Base
from central.db.types import BigKey


class FeedRow(Base):
    """Something changed; the reader fetches it as it is by then.

    ``xid`` is the writing transaction on PostgreSQL, where ids commit out of order, and 0 on
    SQLite, which has one writer. The cursor is (xid, id).
    """

    __tablename__ = "feed"
    # A cursor lives in browsers: SQLite must never give a pruned row's id again.
    __table_args__ = (Index("ix_feed_cursor", "xid", "id"), {"sqlite_autoincrement": True})

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    xid: Mapped[int]
    at: Mapped[datetime] = mapped_column(index=True)
    kind: Mapped[FeedKind]
    ref: Mapped[str]


class FeedFloor(Base):
    """Everything up to this cursor has been pruned."""

    __tablename__ = "feed_floor"
    __table_args__ = (CheckConstraint("one = 1", name="one_row"),)

    one: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    xid: Mapped[int]
    id: Mapped[int]

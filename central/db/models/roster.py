"""The duty roster: shifts, and who has which post in them."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import Post
from central.db.base import Base
from central.db.types import BigKey


class Shift(Base):
    """A stretch of duty of one village, from ``start`` to before ``end``."""

    __tablename__ = "shift"
    __table_args__ = (
        UniqueConstraint("region_code", "start", "name"),
        CheckConstraint('"end" > start', name="ends_after_start"),
    )

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    name: Mapped[str]
    start: Mapped[datetime]
    end: Mapped[datetime] = mapped_column(index=True)


class ShiftAssignment(Base):
    """One person's post in a shift."""

    __tablename__ = "shift_assignment"

    shift_id: Mapped[int] = mapped_column(
        ForeignKey("shift.id", ondelete="cascade"), primary_key=True
    )
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)
    post: Mapped[Post] = mapped_column(primary_key=True)

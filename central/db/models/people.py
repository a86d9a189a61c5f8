"""People, how they sign in, and what recorded video they looked at."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import Role
from central.db.base import Base
from central.db.types import BigKey


class Person(Base):
    """Someone of the village's staff. Nobody else is ever entered here."""

    __tablename__ = "person"

    id: Mapped[str] = mapped_column(primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    name: Mapped[str]
    post: Mapped[str]
    phone: Mapped[str] = mapped_column(default="")
    pin_hash: Mapped[str | None]
    active: Mapped[bool] = mapped_column(default=True)


class Account(Base):
    """A name and a password. Every account but a wall's belongs to a person."""

    __tablename__ = "account"
    __table_args__ = (
        CheckConstraint("role = 'wall' or person_id is not null", name="person_or_wall"),
    )

    username: Mapped[str] = mapped_column(primary_key=True)
    password_hash: Mapped[str]
    role: Mapped[Role]
    name: Mapped[str]
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    active: Mapped[bool] = mapped_column(default=True)


class Session(Base):
    """A signed-in browser: the SHA-256 of the random 256-bit id its cookie holds."""

    __tablename__ = "session"

    id_sha256: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(ForeignKey("account.username"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    operator_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    operator_until: Mapped[datetime | None]


class RateCount(Base):
    """Tries within a window, for the limits on signing in."""

    __tablename__ = "rate_count"

    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class Viewing(Base):
    """Who asked for which recorded video (调阅登记, domain 6). Append-only."""

    __tablename__ = "viewing"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    username: Mapped[str] = mapped_column(ForeignKey("account.username"))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    box_id: Mapped[str]
    camera_id: Mapped[str]
    what: Mapped[str]
    start: Mapped[datetime | None]
    end: Mapped[datetime | None]
    reason: Mapped[str] = mapped_column(default="")

"""Points (点位): the file of every camera, and the filing of the village's system (备案)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from central.codes import EvidencePlace
from central.db.base import Base
from central.db.models.ledger import LedgerColumns
from central.db.types import BigKey
from central.points.codes import DeviceType, PlaceType, PointState
from protocol.messages import LegalBasis


class Point(Base):
    """The file of one camera, by its uid; the camera itself may not have been heard of yet.

    ``in_use_since`` is when it was first in use; none once it is a draft again. ``checklist`` holds
    the answers of whoever signed it last. ``sign_checked_at`` is when somebody last looked at the
    notice sign, ``sign_whole`` what they found.
    """

    __tablename__ = "point"
    __table_args__ = (
        CheckConstraint(
            "(checklist_by is null) = (checklist_at is null)", name="checklist_is_signed"
        ),
        CheckConstraint("state <> 'in_use' or in_use_since is not null", name="in_use_has_begun"),
    )

    uid: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[PointState]
    state_since: Mapped[datetime]
    in_use_since: Mapped[datetime | None]
    place_type: Mapped[PlaceType | None]
    legal_basis: Mapped[LegalBasis | None]
    device_type: Mapped[DeviceType]
    manager_unit: Mapped[str] = mapped_column(default="")
    manager_phone: Mapped[str] = mapped_column(default="")  # whom the notice sign says to call
    installed_on: Mapped[str | None]  # YYYY-MM-DD
    note: Mapped[str] = mapped_column(default="")
    checklist: Mapped[dict[str, Any] | None]
    checklist_note: Mapped[str] = mapped_column(default="")
    checklist_by: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    checklist_at: Mapped[datetime | None]
    photo_id: Mapped[UUID | None] = mapped_column(ForeignKey("sign_photo.id"))
    sign_checked_at: Mapped[datetime | None]
    sign_whole: Mapped[bool] = mapped_column(default=True)


class SignPhoto(Base):
    """A photo of a point's notice sign; the file is durable before the row is. None ever goes."""

    __tablename__ = "sign_photo"
    __table_args__ = (Index("ix_sign_photo_uid", "uid", "stored_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    uid: Mapped[str]
    place: Mapped[EvidencePlace]
    path: Mapped[str]  # its key there
    media_type: Mapped[str]
    width: Mapped[int]
    height: Mapped[int]
    size_bytes: Mapped[int]
    sha256: Mapped[str]
    stored_at: Mapped[datetime]
    stored_by: Mapped[str] = mapped_column(ForeignKey("person.id"))


class Filing(Base):
    """What the county's police was told of a village's system, and when; the newest counts.

    ``facts`` are the cameras as they were filed. ``changed_since`` is when they were first seen to
    be otherwise; none while all is as filed.
    """

    __tablename__ = "filing"

    id: Mapped[int] = mapped_column(BigKey, primary_key=True)
    region_code: Mapped[str] = mapped_column(ForeignKey("region.code"))
    filed_on: Mapped[str]  # YYYY-MM-DD
    number: Mapped[str]
    facts: Mapped[dict[str, Any]]
    entered_by: Mapped[str] = mapped_column(ForeignKey("person.id"))
    entered_at: Mapped[datetime]
    changed_since: Mapped[datetime | None]


class PointLedger(LedgerColumns, Base):
    """What happened to points and filings, in order.

    ``subject`` is a point's uid, or the code of the region whose system was filed.
    """

    __tablename__ = "point_ledger"

    subject: Mapped[str] = mapped_column(index=True)

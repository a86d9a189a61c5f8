"""What people did with the cameras of a box."""

from sqlalchemy.orm import Mapped, mapped_column

from central.db.base import Base
from central.db.models.ledger import LedgerColumns


class EnrolmentLedger(LedgerColumns, Base):
    """Who had a box look for, add, change or remove a camera, and what the box said, in order.

    ``subject`` is the box's id, with ``.<camera_id>`` where it was about one camera; the centre
    need not have heard of it. No entry holds a login.
    """

    __tablename__ = "enrolment_ledger"

    subject: Mapped[str] = mapped_column(index=True)

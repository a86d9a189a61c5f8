"""What each consumer says of itself every few seconds, for who asks how the centre is."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from central.db.base import Base


class ConsumerPulse(Base):
    """One consumer, by the name it has at the broker, as it was at ``seen_at``.

    Counts are since ``started_at``; ``committed_at`` is when it last stored something.
    """

    __tablename__ = "consumer_pulse"

    name: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    connected: Mapped[bool]
    queued: Mapped[int]
    received: Mapped[int]
    committed: Mapped[int]
    committed_at: Mapped[datetime | None]
    overflowed: Mapped[int]
    refused: Mapped[int]

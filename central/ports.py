"""The seams of the centre: what one component may ask of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from protocol.messages import CommandMessage


@dataclass(frozen=True, slots=True)
class Received:
    """One MQTT message as it came."""

    topic: str
    payload: bytes
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Committed:
    """Sequences of one outbox that are stored for good and may be receipted (protocol I3)."""

    region_code: str
    box_id: str
    outbox_id: UUID
    sequences: tuple[int, ...]


class Inbox(Protocol):
    """Where the consumer puts what it received."""

    def commit(self, batch: Sequence[Received]) -> Sequence[Committed]:
        """Store the whole batch in one transaction and return what may be receipted.

        Idempotent by (box, outbox, sequence): a duplicate is counted, changes nothing and is
        receipted again. What can't be understood goes to quarantine with its reason, in the same
        transaction, and is receipted where its place can be read and it was kept whole. Raises
        StoreUnavailableError with nothing stored; the caller keeps the batch, acknowledges nothing
        and tries again.
        """


@dataclass(frozen=True, slots=True)
class Resend:
    """Events of one outbox that a box is to send again; not asked again before ``again_at``."""

    region_code: str
    box_id: str
    outbox_id: UUID
    first: int
    last: int
    again_at: datetime


@dataclass(frozen=True, slots=True)
class Given:
    """A command to publish to one box."""

    region_code: str
    box_id: str
    message: CommandMessage


class Dispatcher(Protocol):
    """What has commands for boxes."""

    def due(self) -> Sequence[Given]:
        """Return what to publish now; it counts as given from then on.

        Raises StoreUnavailableError with nothing noted.
        """


class Pursuer(Protocol):
    """What follows up the gaps that boxes have left."""

    def due(self) -> Sequence[Resend]:
        """Return what to ask boxes for now; it counts as asked from then on.

        Raises StoreUnavailableError with nothing noted.
        """


class Lease(Protocol):
    """What one of several consumers holds at a time."""

    def keep(self) -> bool:
        """Take it where nobody holds it, hold it for a term from now on; return whether it is ours.

        Raises StoreUnavailableError, and then nobody knows.
        """

    def release(self) -> None:
        """Let another one have it at once. Raises StoreUnavailableError."""

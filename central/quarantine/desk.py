"""What people do with messages that nobody understood: take them once more, or let them go."""

from collections.abc import Sequence
from dataclasses import dataclass

from central.db.engine import Database
from central.db.models import Quarantine, QuarantineLedger
from central.errors import ConflictError, NotFoundError
from central.ingest.inbox import DatabaseInbox
from central.ingest.quarantine import let_go
from central.ledger.book import append
from central.ledger.chain import Entry
from protocol.clock import Clock


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one message. ``reason`` is empty where it is an event now."""

    digest: str
    reason: str


class QuarantineDesk:
    """Replays and discards, each act one transaction with its entry in the ledger."""

    def __init__(self, database: Database, clock: Clock, inbox: DatabaseInbox) -> None:
        self._database = database
        self._clock = clock
        self._inbox = inbox

    def replay(self, digests: Sequence[str], actor_id: str) -> list[Outcome]:
        """Take messages once more, in the given order, each by itself.

        One that is gone meanwhile, or of which there is nothing to take, says so and stops no
        other. Raises StoreUnavailableError; what was done until then stays done.
        """
        outcomes = []
        for digest in digests:
            try:
                reason = self._inbox.replay(digest, actor_id) or ""
            except (NotFoundError, ConflictError) as error:
                reason = str(error)
            outcomes.append(Outcome(digest, reason))
        return outcomes

    def discard(self, digest: str, actor_id: str, why: str) -> None:
        """Let a message go for good. Raises NotFoundError, StoreUnavailableError."""
        now = self._clock.now()
        with self._database.write() as session:
            row = session.get(Quarantine, digest, with_for_update=True)
            if row is None or row.let_go_at is not None:
                raise NotFoundError("it is no longer in quarantine")
            place = "" if row.sequence is None else f" #{row.sequence}"
            words = f"{row.topic}{place} sha256 {row.sha256} ({row.reason}): {why}"
            let_go(session, row, now)
            append(
                session, QuarantineLedger, [Entry(digest, now, "discarded", actor_id, note=words)]
            )

"""The delivery ledger: what came of each box, what is missing, and what all of it proves."""

from uuid import UUID

from fastapi import APIRouter

from central.db.models import BoxOutbox
from central.delivery.proof import prove
from central.delivery.views import OutboxView, ProofView, outbox_views, proof_view
from central.errors import NotFoundError
from central.http.access import DUTY, allow
from central.http.centre import CentreDep

router = APIRouter(prefix="/api/v1/deliveries", tags=["deliveries"])


@router.get("", **allow(*DUTY))
def deliveries(centre: CentreDep, box_id: str | None = None) -> list[OutboxView]:
    """Return each box's outboxes, the newest first."""
    with centre.database.read() as session:
        return outbox_views(session, centre.clock.now(), box_id)


@router.post("/{box_id}/{outbox_id}/verify", **allow(*DUTY))
def verify(box_id: str, outbox_id: UUID, centre: CentreDep) -> ProofView:
    """Go through all that is kept of an outbox and say what it proves; changes nothing."""
    with centre.database.read() as session:
        row = session.get(BoxOutbox, (box_id, outbox_id))
        if row is None:
            raise NotFoundError(f"the box '{box_id}' has no outbox {outbox_id}")
        return proof_view(prove(session, row, centre.clock.now()))

"""Evidence that will never come: its box says so, and why, so that nobody waits for it."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from central.codes import FeedKind
from central.db.models import Alert, EvidenceLacking
from central.errors import NotFoundError
from central.evidence.routes import admitted_box
from central.http.access import allow_boxes
from central.http.centre import CentreDep
from central.http.given import Body
from central.wall.feed import publish
from protocol.messages import AlertMode, EvidenceKind, EvidenceLack

router = APIRouter(prefix="/api/v1", tags=["evidence"])


class GivenLack(Body):
    """Why a piece will never come."""

    reason: EvidenceLack


@router.put("/boxes/{box_id}/evidence/{alert_id}/{kind}/lack", status_code=204, **allow_boxes())
def put_lack(
    box_id: Annotated[str, Depends(admitted_box)],
    alert_id: UUID,
    kind: EvidenceKind,
    given: GivenLack,
    centre: CentreDep,
) -> Response:
    """Note that a picture or clip will never come; said again, it is the newest reason."""
    with centre.database.write() as session:
        alert = session.get(Alert, alert_id, with_for_update=True)
        if alert is None or alert.box_id != box_id:
            raise NotFoundError("the alert is not known yet: try again later")
        now = centre.clock.now()
        row = session.get(EvidenceLacking, (alert_id, kind))
        if row is None:
            row = EvidenceLacking(alert_id=alert_id, kind=kind)
            session.add(row)
        row.reason, row.said_at = given.reason, now
        if alert.mode is not AlertMode.TRIAL:
            publish(session, now, [(FeedKind.EVIDENCE, str(alert_id))])
    return Response(status_code=204)

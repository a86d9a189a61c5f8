"""When a fault of a camera's picture becomes an alert. Pure.

The detector process has decided already that a fault has lasted (edge.detect.picture_health); what
is left is which of its words is worth an alert, and when it is over::

    state    what is said                                    next     says
    fine     the fault, and the picture could be judged      faulty   START
    faulty   no fault, and the picture could be judged       fine     END
    either   the picture can't be judged                     -        -

A covered lens shows nothing else: what else is wrong with it is not said. A black picture is a
fault by day only. At night a lane without a lamp is black, and so is one whose lamp has been
switched off; a lens that is covered in black then can't be told from it, and alarms nobody before
morning.
"""

from collections.abc import Sequence
from datetime import tzinfo

from edge.detect.fault import PictureFault
from edge.ports import Occurrence, OpenAlert, PictureCondition
from protocol.messages import AlertKind, AlertLevel, AlertMode, AlertOp

PICTURE_RULE = "picture"
KIND_OF = {
    PictureFault.COVERED: AlertKind.LENS_COVERED,
    PictureFault.BLACKED: AlertKind.LENS_COVERED,
    PictureFault.BLURRED: AlertKind.PICTURE_BLURRED,
    PictureFault.MOVED: AlertKind.CAMERA_MOVED,
    PictureFault.FROZEN: AlertKind.PICTURE_FROZEN,
    PictureFault.OVEREXPOSED: AlertKind.PICTURE_OVEREXPOSED,
    PictureFault.UNDEREXPOSED: AlertKind.PICTURE_UNDEREXPOSED,
}
#: What hides all else that may be wrong.
_COVERS = (PictureFault.COVERED, PictureFault.BLACKED)
_BLACK = frozenset({PictureFault.BLACKED, PictureFault.UNDEREXPOSED})
PICTURE_KINDS = frozenset(KIND_OF.values())
#: Hours in which it is day everywhere the year round, by the village's clock.
DAY_BEGINS, DAY_ENDS = 9, 16


class PictureRule:
    """The state machine above for one camera, once for each fault. Not thread-safe.

    An alert's region is the name of its fault, so that two faults are two alerts.
    """

    def __init__(self, camera_id: str, zone: tzinfo, open_alerts: Sequence[OpenAlert] = ()) -> None:
        self._camera_id = camera_id
        self._zone = zone
        self._faulty = {
            fault
            for fault in PictureFault
            for alert in open_alerts
            if (alert.camera_id, alert.rule_id, alert.region_id)
            == (camera_id, PICTURE_RULE, fault.value)
        }

    def see(self, condition: PictureCondition) -> list[Occurrence]:
        """Take how the picture is and return what is to be said of it."""
        if not condition.is_sure:
            return []
        faults = set(condition.faults)
        if not self._is_day(condition):
            faults -= _BLACK - self._faulty
        faults = next(({each} for each in _COVERS if each in faults), faults)
        said = [
            self._occurrence(AlertOp.END, fault, condition) for fault in self._faulty - faults
        ] + [self._occurrence(AlertOp.START, fault, condition) for fault in faults - self._faulty]
        self._faulty = faults
        return said

    def _is_day(self, condition: PictureCondition) -> bool:
        return DAY_BEGINS <= condition.at.astimezone(self._zone).hour < DAY_ENDS

    def _occurrence(
        self, op: AlertOp, fault: PictureFault, condition: PictureCondition
    ) -> Occurrence:
        return Occurrence(
            op=op,
            kind=KIND_OF[fault],
            level=AlertLevel.ORDINARY,
            mode=AlertMode.LIVE,
            camera_id=self._camera_id,
            rule_id=PICTURE_RULE,
            region_id=fault.value,
            at=condition.at,
        )

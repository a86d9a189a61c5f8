"""What the product's own rule raises on the truth, with the settings the village runs with."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bench.truth import Gathering, Spot, Truth, gatherings
from edge.alarm.geometry import Place
from edge.alarm.scene import GatheringRule
from edge.rule_config import GatheringSection
from protocol.messages import AlertOp


def expected(
    truth: Truth, settings: GatheringSection, turns: Sequence[datetime], until: datetime
) -> tuple[Gathering, ...]:
    """Return what ``settings`` raise when fed every frame of the truth, in the camera's time.

    The rule is the one the box runs; only its places come from the annotation and not from a
    detector. ``turns`` are when the camera began its clip, each time.
    """
    rule = GatheringRule(
        "truth", settings, min_score=0.0, interval_s=float(1 / truth.fps), has_ground=True
    )

    def changes() -> Iterator[tuple[AlertOp, datetime]]:
        for at, spots in truth.spots(turns, until):
            for occurrence in rule.see(at, [_place(spot) for spot in spots]):
                yield occurrence.op, occurrence.at

    return gatherings(changes())


def _place(spot: Spot) -> Place:
    return Place(*spot.ground_m, per_metre=1.0, image=spot.image, score=1.0)

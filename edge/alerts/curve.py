"""How many people there were while an alert was open: a line of bounded length. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from protocol.messages import CURVE_POINTS, CURVE_S, AlertCurve

Points = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """The highest count of every ``step_s`` seconds in which anything was seen; counts only.

    ``points`` are (number of the step since the alert began, count), in order and at most
    CURVE_POINTS. Where there would be more, steps are joined by pairs, with the higher count of
    both: so the peak stays in however long the alert lasts, and the steps stay even.
    """

    step_s: int = 1
    points: Points = ()

    def plus(self, offset_s: float, count: int) -> "Curve":
        """Return the curve with a count that was seen so long after the alert began.

        What is earlier than the last step, as after a clock that was set back, counts for that one.
        """
        step = int(min(max(offset_s, 0.0), CURVE_S)) // self.step_s
        if not self.points:
            return _bounded(self.step_s, ((step, count),))
        *before, (last, highest) = self.points
        if step <= last:
            return Curve(self.step_s, (*before, (last, max(highest, count))))
        return _bounded(self.step_s, (*self.points, (step, count)))

    def told(self) -> AlertCurve | None:
        """Return it as the centre is told, with seconds for steps; None where it is empty."""
        if not self.points:
            return None
        points = tuple((step * self.step_s, count) for step, count in self.points)
        return AlertCurve(step_s=self.step_s, points=points)

    @classmethod
    def of(cls, told: AlertCurve) -> "Curve":
        """Return the curve that was told, to go on with it."""
        return _bounded(
            told.step_s, _joined((second // told.step_s, count) for second, count in told.points)
        )


def _bounded(step_s: int, points: Points) -> Curve:
    while len(points) > CURVE_POINTS:
        step_s *= 2
        points = _joined((step // 2, count) for step, count in points)
    return Curve(step_s, points)


def _joined(points: Iterable[tuple[int, int]]) -> Points:
    """Return the points with the highest count of those of one step."""
    highest: dict[int, int] = {}
    for step, count in points:
        highest[step] = max(highest.get(step, 0), count)
    return tuple(sorted(highest.items()))

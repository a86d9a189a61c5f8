"""How readily a rule believes what the detector says. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Sensitivity(StrEnum):
    """What staff choose; ``LEANINGS`` says what it comes to."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


#: A score above this is more than a detector gives to people who are plainly there.
_SUREST = 0.9


@dataclass(frozen=True, slots=True)
class Leaning:
    """``score_factor`` times the model's own score makes a person; ``vote`` is a share of frames.

    A count holds when ``vote`` of the frames of the vote's window reach it (edge.alarm.gathering).
    """

    score_factor: float
    vote: float

    def score(self, min_score: float) -> float:
        """Return the score that a person needs; a factor never lifts it above what is ever seen."""
        return min(max(min_score, _SUREST), min_score * self.score_factor)


#: Normal is what was tuned (`bench.scene`). Low wants surer people in most of the frames: for trees
#: and statues that are taken for people; it finds distant people later or not at all. High takes
#: what the detector half believes, in a quarter of them: for far or dim squares, at the price of
#: false alarms. The weakest score stays above the share that the detector hands on at all
#: (edge.lookout.WEAK_SHARE).
LEANINGS = {
    Sensitivity.LOW: Leaning(1.25, 0.6),
    Sensitivity.NORMAL: Leaning(1.0, 0.4),
    Sensitivity.HIGH: Leaning(0.75, 0.25),
}

#: The share of looks that must show a flame (edge.alarm.fire): four, three and two of five.
FLAME_VOTES = {Sensitivity.LOW: 0.8, Sensitivity.NORMAL: 0.6, Sensitivity.HIGH: 0.4}

"""What is wrong with what a camera sends, counted. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Flaws:
    """``lost`` packets that never came, ``torn`` units left out, ``stray`` bytes of nothing's.

    A unit is torn where a part of it is missing. By TCP nothing is lost on the way: the camera
    itself threw it away.
    """

    lost: int = 0
    torn: int = 0
    stray: int = 0

    def __add__(self, other: "Flaws") -> "Flaws":
        return Flaws(self.lost + other.lost, self.torn + other.torn, self.stray + other.stray)

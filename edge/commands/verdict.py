"""What became of a command, or of it for now. Pure."""

from dataclasses import dataclass

from protocol.commands import CommandKind
from protocol.messages import LONGEST_DETAIL, Outcome

#: What a centre takes that knows no ``configure`` yet.
_SHORT_DETAIL = 300


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome; ``reason`` is a code and ``detail`` the box's own words (ResultData)."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""

    def words(self, kind: str) -> str:
        """Return the detail as far as a result of that kind has room."""
        longest = LONGEST_DETAIL if kind == CommandKind.CONFIGURE else _SHORT_DETAIL
        return self.detail[:longest]

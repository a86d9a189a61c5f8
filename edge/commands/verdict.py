"""What became of a command, or of it for now. Pure."""

from dataclasses import dataclass

from protocol.messages import Outcome


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome; ``reason`` is a code and ``detail`` the box's own words (ResultData)."""

    outcome: Outcome
    reason: str = ""
    detail: str = ""

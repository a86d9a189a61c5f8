"""What can be wrong with a camera's picture."""

from enum import StrEnum


class PictureFault(StrEnum):
    """A fault, in the words of an alert's region."""

    COVERED = "covered"  # by a hand, a bag, paint; a picture of one colour
    BLACKED = "blacked"  # black at once: covered, or its light or its sensor failed
    BLURRED = "blurred"
    MOVED = "moved"
    FROZEN = "frozen"
    OVEREXPOSED = "overexposed"
    UNDEREXPOSED = "underexposed"

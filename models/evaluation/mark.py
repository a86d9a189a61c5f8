"""What is marked on a picture. Pure."""

from dataclasses import dataclass

#: The order of the network's channels.
CLASSES = ("flame", "smoke")


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled thing: its channel (CLASSES) and its rectangle, 0-1."""

    channel: int
    left: float
    top: float
    right: float
    bottom: float

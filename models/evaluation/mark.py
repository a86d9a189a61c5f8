"""What is marked on a picture. Pure."""

from dataclasses import dataclass

#: The order of the network's channels.
CLASSES = ("flame", "smoke")
#: A person; no channel of that network.
PERSON = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """One labelled thing: its channel (of CLASSES, or PERSON) and its rectangle, 0-1."""

    channel: int
    left: float
    top: float
    right: float
    bottom: float

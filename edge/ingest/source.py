"""Where a stream's packets come from, as its worker sees it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from edge.media.sample import Codec, Packet

#: Takes a packet as it comes; says whether more are wanted.
Taker = Callable[[Packet], bool]


@dataclass(slots=True)
class Recoded:
    """How many of a stream's pictures were made into H.264 here, and the time that took.

    One thread counts, any may read.
    """

    pictures: int = 0
    busy_ns: int = 0


class PacketSource(Protocol):
    """An open stream. One thread uses it."""

    @property
    def codec(self) -> Codec:
        """What the video is coded in."""

    @property
    def extradata(self) -> bytes:
        """The parameter sets the stream was announced with, in any form; may be empty."""

    def deliver(self, take: Taker) -> None:
        """Give ``take`` each packet as it comes, in whichever thread, one at a time; blocks.

        Raises StreamStalled where none came in time, StreamError where the stream broke, and
        whatever ``take`` raises. To end without an error means that the other side closed the
        stream, or that no more is wanted.
        """

    def close(self) -> None:
        """Let the connection go; nothing is given to ``take`` any more. Idempotent."""


class Opener(Protocol):
    """How to reach one stream."""

    def open(self, *, watched: bool = False) -> PacketSource:
        """Connect and return the stream; blocks for seconds at most.

        ``watched``: a camera that goes on sending something, but no packet, is StreamStalled too.
        That may cost more, and is for one that has been seen to do so.

        Raises StreamRefused where trying again soon is no help, StreamMissing where it is for some
        minutes, else StreamError.
        """

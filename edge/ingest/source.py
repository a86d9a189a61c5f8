"""Where a stream's packets come from, as its worker sees it."""

from collections.abc import Iterator
from typing import Protocol

from edge.media.sample import Codec, Packet


class PacketSource(Protocol):
    """An open stream. One thread uses it."""

    @property
    def codec(self) -> Codec:
        """What the video is coded in."""

    @property
    def extradata(self) -> bytes:
        """The parameter sets the stream was announced with, in any form; may be empty."""

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they come, for as long as they come; blocks in between.

        Raises StreamStalled where none came in time and StreamError where the stream broke. To end
        without an error means that the other side closed the stream.
        """

    def close(self) -> None:
        """Let the connection go. Idempotent."""


class Opener(Protocol):
    """How to reach one stream."""

    def open(self, *, watched: bool = False) -> PacketSource:
        """Connect and return the stream; blocks for seconds at most.

        ``watched``: a camera that goes on sending something, but no packet, is StreamStalled too.
        That costs more, and is for one that has been seen to do so.

        Raises StreamRefused where trying again soon is no help, StreamMissing where it is for some
        minutes, else StreamError.
        """

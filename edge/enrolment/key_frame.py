"""The newest key frame of a stream while somebody else reads it, and the picture it is."""

from edge.errors import MediaError
from edge.ingest.choice import TellingOpener
from edge.ingest.source import PacketSource, Recoded, Taker
from edge.media.parameters import ParameterCollector
from edge.media.sample import Codec, Packet
from edge.previews.child import picture
from edge.previews.wire import Question

WIDTH_PX = 640
MAX_BYTES = 150_000


class KeptKeyFrame:
    """An opener that keeps the newest key frame of what it opened."""

    def __init__(self, opener: TellingOpener) -> None:
        self._opener = opener
        self._sets: ParameterCollector | None = None
        self._codec = Codec.H264
        self._units: tuple[bytes, ...] = ()

    @property
    def is_only_udp(self) -> bool:
        """Whether the camera refused to send by the connection it is asked by."""
        return self._opener.is_only_udp

    @property
    def recoded(self) -> Recoded:
        """What of the stream had to be made into H.264."""
        return self._opener.recoded

    def open(self, *, watched: bool = False) -> PacketSource:
        """Open the stream; the promise of Opener.open."""
        source = self._opener.open(watched=watched)
        self._codec, self._units = source.codec, ()
        self._sets = ParameterCollector(source.codec, source.extradata)
        return _Overheard(source, self)

    def see(self, packet: Packet) -> None:
        """Take note of the next packet."""
        if packet.is_key:
            self._units = packet.units

    def jpeg(self) -> bytes | None:
        """Return the picture, at most WIDTH_PX wide and about MAX_BYTES long.

        None where no key frame came, or none that decodes. Call it when the stream is closed.
        """
        if self._sets is None or not self._units:
            return None
        try:
            unit = self._sets.absorb_units(self._units)
            parameters = self._sets.parameters
            if parameters is None or not unit.data:
                return None
            width, height = _fitting(parameters.width, parameters.height)
            return picture(
                Question(self._codec, width, height, MAX_BYTES, parameters.extradata, unit.data)
            )
        except MediaError:
            return None


def _fitting(width: int, height: int) -> tuple[int, int]:
    """Return the size at most WIDTH_PX wide, in even pixels as JPEG's colours want them."""
    scale = min(1.0, WIDTH_PX / width)
    return max(2, round(width * scale) // 2 * 2), max(2, round(height * scale) // 2 * 2)


class _Overheard:
    """A source of which every packet is noted on its way."""

    def __init__(self, source: PacketSource, keeper: KeptKeyFrame) -> None:
        self._source = source
        self._keeper = keeper

    @property
    def codec(self) -> Codec:
        return self._source.codec

    @property
    def extradata(self) -> bytes:
        return self._source.extradata

    def deliver(self, take: Taker) -> None:
        def overhear(packet: Packet) -> bool:
            self._keeper.see(packet)
            return take(packet)

        self._source.deliver(overhear)

    def close(self) -> None:
        self._source.close()

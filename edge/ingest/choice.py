"""Which reader a camera's stream is read with: our own, or FFmpeg's where that can't."""

import logging
from collections.abc import Callable
from typing import Literal, Protocol

from edge.config import CameraSection
from edge.errors import RtspError, StreamByUdp, StreamError, StreamUnsuited
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.source import Opener, PacketSource, Recoded
from edge.rtsp.flaws import Flaws
from protocol.clock import Clock
from protocol.relay import StreamName

log = logging.getLogger(__name__)

Transport = Literal["tcp", "udp"]

#: A camera that answers nonsense so often in a row may be one that FFmpeg understands.
NONSENSE_BEFORE_FFMPEG = 2


class CountingOpener(Opener, Protocol):
    """An opener that says what was wrong with what came."""

    @property
    def flaws(self) -> Flaws:
        """What was wrong so far, on all connections; from any thread."""


class TellingOpener(Opener, Protocol):
    """An opener that says by what way the stream came."""

    @property
    def is_only_udp(self) -> bool:
        """Whether the camera refused to send by the connection it is asked by."""

    @property
    def recoded(self) -> Recoded:
        """What of the stream had to be made into H.264."""


class ChosenOpener:
    """Our own reader; from the first time on that a camera is not suited for it, FFmpeg's.

    A camera whose words ours can't make out, twice in a row, is tried with FFmpeg's, and stays with
    it if that opens it; else ours is asked again. ``ffmpeg`` is asked for only then, and told by
    what to pull: importing it costs 20 MB. Where the camera sends by UDP only, that is UDP; else it
    is ``transport``. Our own reader is tried again when the box starts anew. ``recoded`` counts
    what had to be made into H.264.
    """

    def __init__(
        self,
        own: CountingOpener | None,
        ffmpeg: Callable[[Transport], Opener] | None,
        who: dict[str, str],
        transport: Transport = "tcp",
        recoded: Recoded | None = None,
    ) -> None:
        self._own: Opener | None = own
        self._counted = own
        self._new_ffmpeg = ffmpeg
        self._who = who
        self._transport = transport
        self._is_only_udp = False
        self._recoded = recoded or Recoded()
        self._ffmpeg: Opener | None = None
        self._nonsense = 0

    @classmethod
    def of_camera(
        cls, camera: CameraSection, stream: StreamName, reader: Reader, clock: Clock
    ) -> "ChosenOpener":
        """Return the opener of a configured stream, as its ``reader`` and ``transport`` say."""
        recoded = Recoded()
        who = {"camera_id": camera.id, "stream": stream.value}
        scheme = camera.scheme(stream)
        if scheme in {"http", "https"}:
            # house: late import - as FFmpeg below
            from edge.ingest.http_pictures import HttpOpener  # noqa: PLC0415

            http = HttpOpener.of_camera(camera, stream, recoded, clock)
            return cls(http, None, who, recoded=recoded)

        def ffmpeg(transport: Transport) -> Opener:
            # house: late import - it imports FFmpeg, and most boxes never need it
            from edge.ingest.ffmpeg import FfmpegOpener  # noqa: PLC0415

            return FfmpegOpener.of_camera(camera, stream, clock, transport, recoded)

        takes_own = camera.reader != "ffmpeg" and camera.transport == "tcp"
        own = OwnOpener.of_camera(camera, stream, reader, clock) if takes_own else None
        # FFmpeg's takes each certificate: over TLS there is no other reader.
        may_change = camera.reader != "own" and scheme != "rtsps"
        new_ffmpeg = ffmpeg if may_change else None
        return cls(own, new_ffmpeg, who, camera.transport, recoded)

    @property
    def is_ffmpeg(self) -> bool:
        """Whether FFmpeg reads the stream."""
        return self._own is None

    @property
    def is_only_udp(self) -> bool:
        """Whether the camera refused to send by the connection it is asked by."""
        return self._is_only_udp

    @property
    def recoded(self) -> Recoded:
        """What of the stream had to be made into H.264, since the start."""
        return self._recoded

    @property
    def flaws(self) -> Flaws:
        """What was wrong with what our own reader got since the start; FFmpeg's doesn't say."""
        return Flaws() if self._counted is None else self._counted.flaws

    def open(self, *, watched: bool = False) -> PacketSource:
        """Open the stream with the reader that suits it; the promise of Opener.open."""
        if self._own is None:
            return self._by_ffmpeg().open(watched=watched)
        try:
            source = self._own.open(watched=watched)
        except StreamUnsuited as error:
            if self._new_ffmpeg is None:
                raise
            self._change(error)
            return self._by_ffmpeg().open(watched=watched)
        except RtspError as error:
            self._nonsense += 1
            if self._new_ffmpeg is None or self._nonsense < NONSENSE_BEFORE_FFMPEG:
                raise
            self._nonsense = 0
            source = self._by_ffmpeg().open(watched=watched)
            self._change(error)
        except StreamError:
            self._nonsense = 0
            raise
        else:
            self._nonsense = 0
        return source

    def _change(self, why: StreamError) -> None:
        """Have FFmpeg's reader open it from now on."""
        log.warning("stream.read_by_ffmpeg", extra={**self._who, "reason": str(why)})
        if isinstance(why, StreamByUdp):
            self._is_only_udp, self._transport, self._ffmpeg = True, "udp", None
        self._own = None

    def _by_ffmpeg(self) -> Opener:
        if self._ffmpeg is None:
            assert self._new_ffmpeg is not None
            self._ffmpeg = self._new_ffmpeg(self._transport)
        return self._ffmpeg

"""Which reader a camera's stream is read with: our own, or FFmpeg's where that can't."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from edge.config import CameraSection
from edge.errors import RtspError, StreamError, StreamUnsuited
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.source import Opener, PacketSource
from edge.rtsp.flaws import Flaws
from edge.rtsp.sender_clock import FEWEST
from protocol.clock import Clock
from protocol.relay import StreamName

log = logging.getLogger(__name__)


#: A camera that answers nonsense so often in a row may be one that FFmpeg understands.
NONSENSE_BEFORE_FFMPEG = 2


class CountingOpener(Opener, Protocol):
    """An opener that says what was wrong with what came, and what time the camera has."""

    @property
    def flaws(self) -> Flaws:
        """What was wrong so far, on all connections; from any thread."""

    def clock_offset(self, fewest: int = FEWEST) -> timedelta | None:
        """Return the camera's clock less the box's (SenderClock.offset); from any thread."""


class ChosenOpener:
    """Our own reader; from the first time on that a camera is not suited for it, FFmpeg's.

    A camera whose words ours can't make out, twice in a row, is tried with FFmpeg's, and stays with
    it if that opens it; else ours is asked again. ``ffmpeg`` is asked for only then: importing it
    costs 20 MB. Our own reader is tried again when the box starts anew.
    """

    def __init__(
        self, own: CountingOpener | None, ffmpeg: Callable[[], Opener] | None, who: dict[str, str]
    ) -> None:
        self._own: Opener | None = own
        self._counted = own
        self._new_ffmpeg = ffmpeg
        self._who = who
        self._ffmpeg: Opener | None = None
        self._nonsense = 0

    @classmethod
    def of_camera(
        cls, camera: CameraSection, stream: StreamName, reader: Reader, clock: Clock
    ) -> "ChosenOpener":
        """Return the opener of a configured stream, as its ``reader`` and ``transport`` say."""

        def ffmpeg() -> Opener:
            # house: late import - it imports FFmpeg, and most boxes never need it
            from edge.ingest.ffmpeg import FfmpegOpener  # noqa: PLC0415

            return FfmpegOpener.of_camera(camera, stream, clock)

        takes_own = camera.reader != "ffmpeg" and camera.transport == "tcp"
        own = OwnOpener.of_camera(camera, stream, reader, clock) if takes_own else None
        may_change = camera.reader != "own"
        who = {"camera_id": camera.id, "stream": stream.value}
        return cls(own, ffmpeg if may_change else None, who)

    @property
    def is_ffmpeg(self) -> bool:
        """Whether FFmpeg reads the stream."""
        return self._own is None

    @property
    def flaws(self) -> Flaws:
        """What was wrong with what our own reader got since the start; FFmpeg's doesn't say."""
        return Flaws() if self._counted is None else self._counted.flaws

    def clock_offset(self, fewest: int = FEWEST) -> timedelta | None:
        """Return the camera's clock less the box's; None where it or FFmpeg's reader doesn't say.

        As SenderClock.offset has it; from any thread.
        """
        if self._own is None or self._counted is None:
            return None
        return self._counted.clock_offset(fewest)

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
        self._own = None

    def _by_ffmpeg(self) -> Opener:
        if self._ffmpeg is None:
            assert self._new_ffmpeg is not None
            self._ffmpeg = self._new_ffmpeg()
        return self._ffmpeg

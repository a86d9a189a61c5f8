"""Pulling one stream by RTSP with PyAV: demultiplexing only, video only.

Measured: with ``fflags=nobuffer`` the packets read while probing are thrown away, and with them a
group of pictures at every connect; a silent camera is noticed after twice the read timeout, because
the first one only flushes the packet that the demuxer holds back; and PyAV's own ``timeout`` asks
Python for the time, under its lock, at every packet of the network: with 16 cameras that was half
of all that the box used. FFmpeg's does not, but it is of each read from the network: a camera that
sends nothing but its reports would keep us for ever. So PyAV's is used to open, and while reading
from a camera that was seen to hang like that.
"""

from collections.abc import Callable, Iterator
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import av
import av.container
import av.error
import av.stream
import av.video.stream
from pydantic import SecretStr

from edge import heap
from edge.config import CameraSection
from edge.errors import ConfigError, StreamError, StreamMissing, StreamRefused, StreamStalled
from edge.ingest.recoder import Recoder
from edge.ingest.source import Recoded, Taker
from edge.media import nal
from edge.media.sample import TICKS_PER_S, Codec, Packet
from protocol.clock import Clock
from protocol.relay import StreamName

#: Of the connection and of each read. Twice this is when a silent camera is given up (budget: 6 s).
TIMEOUT_S = 2.8

_OPTIONS = {
    "allowed_media_types": "video",  # sound is not pulled at all
    "analyzeduration": "300000",
    "probesize": "200000",
    "timeout": str(round(TIMEOUT_S * 1_000_000)),  # microseconds
}
_CODECS = {"h264": Codec.H264, "hevc": Codec.H265}
_JPEG = "mjpeg"
_NS_PER_S = 1_000_000_000
_FORBIDDEN = (av.error.HTTPUnauthorizedError, av.error.HTTPForbiddenError)
_STALLED = av.error.TimeoutError


class FfmpegOpener:
    """One stream of a camera. The credentials are put into the URL in memory only.

    The password is asked for at each :meth:`open`: one that is put right is used without a restart.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        username: str | None = None,
        password: Callable[[], SecretStr] | None = None,
        transport: Literal["tcp", "udp"] = "tcp",
        recoded: Recoded | None = None,
    ) -> None:
        self._url = url
        self._clock = clock
        self._username = username
        self._password = password
        self._transport = transport
        self._recoded = recoded or Recoded()

    @classmethod
    def of_camera(
        cls,
        camera: CameraSection,
        stream: StreamName,
        clock: Clock,
        transport: Literal["tcp", "udp"],
        recoded: Recoded | None = None,
    ) -> "FfmpegOpener":
        """Return the opener of a configured stream; the main URL where there is no other.

        ``transport`` is the camera's own, or udp where it turned out to take no other; ``recoded``
        counts what of a camera's JPEG pictures was made into H.264.
        """
        password = camera.password.read if camera.password else None
        return cls(camera.url(stream), clock, camera.username, password, transport, recoded)

    def open(self, *, watched: bool = False) -> "_RtspSource":
        """Connect; takes about half a second, at most four times ``TIMEOUT_S``; see Opener.open.

        Raises StreamRefused for a wrong password or one that can't be read, or a coding we can't
        carry, StreamMissing for a path that is not there or has no video, StreamStalled for a
        camera that accepts and stays silent, else StreamError.
        """
        try:
            url = self._with_credentials()
        except ConfigError as error:
            raise StreamRefused(str(error)) from None
        began_ns = self._clock.monotonic_ns()
        try:
            container = av.open(
                url,
                options={**_OPTIONS, "rtsp_transport": self._transport},
                metadata_errors="replace",
                timeout=(2 * TIMEOUT_S, 2 * TIMEOUT_S if watched else None),
            )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            # A camera that accepts and stays silent ends as "invalid data", after the timeout.
            if self._clock.monotonic_ns() - began_ns >= TIMEOUT_S * _NS_PER_S:
                raise StreamStalled(f"no answer within {TIMEOUT_S:g} s") from None
            # Not "from error": PyAV keeps the URL, with the password, on its exceptions.
            raise _translated(error) from None
        video = container.streams.video
        name = video[0].codec_context.name if video else None
        codec = Codec.H264 if name == _JPEG else _CODECS.get(name or "")
        if codec is None:
            offered = ", ".join(stream.codec_context.name for stream in video)
            container.close()
            if not offered:
                raise StreamMissing("the camera offers no video")
            raise StreamRefused(f"neither H.264 nor H.265 but {offered}")
        heap.give_back()  # to know the stream, FFmpeg has decoded pictures
        recoder = Recoder(self._clock, self._recoded) if name == _JPEG else None
        return _RtspSource(container, video[0], codec, recoder, self._clock)

    def _with_credentials(self) -> str:
        if self._username is None or self._password is None:
            return self._url
        parts = urlsplit(self._url)
        secret = quote(self._password().get_secret_value(), safe="")
        user = quote(self._username, safe="")
        return urlunsplit(parts._replace(netloc=f"{user}:{secret}@{parts.netloc}"))


class _RtspSource:
    """An open connection; see PacketSource."""

    def __init__(
        self,
        container: av.container.InputContainer,
        stream: av.video.stream.VideoStream,
        codec: Codec,
        recoder: Recoder | None,
        clock: Clock,
    ) -> None:
        self._container = container
        self._stream = stream
        self._clock = clock
        self._recoder = recoder
        self.codec = codec
        own = stream.codec_context.extradata if recoder is None else None
        self.extradata = bytes(own or b"")

    def deliver(self, take: Taker) -> None:
        """Give ``take`` the packets, in this thread; see PacketSource.deliver."""
        for packet in self.packets():
            if not take(packet):
                return

    def packets(self) -> Iterator[Packet]:
        """Yield packets as they come; raises as :meth:`deliver` does."""
        time_base = self._stream.time_base
        assert time_base is not None
        scale = time_base * TICKS_PER_S

        def ticks(value: int | None) -> int | None:
            return None if value is None else value * scale.numerator // scale.denominator

        try:
            for packet in self._container.demux(self._stream):
                if packet.size == 0:
                    return  # the demuxer's way to say that the other side closed
                if self._recoder is not None:
                    if (made := self._recoder.take(bytes(packet))) is not None:
                        yield made
                    continue
                yield Packet(
                    ticks(packet.pts),
                    ticks(packet.dts),
                    packet.is_keyframe,
                    tuple(nal.split(bytes(packet))),
                    self._clock.monotonic_ns(),
                    self._clock.now(),
                )
        except (av.error.FFmpegError, OSError, ValueError) as error:
            raise _translated(error) from None

    def close(self) -> None:
        """Tear the session down."""
        self._container.close()


def _translated(error: Exception) -> StreamError:
    """Return our error for PyAV's, with its words but never its URL."""
    name = type(error).__name__
    words = f"{name}: {getattr(error, 'strerror', None) or 'no more is known'}"
    if isinstance(error, av.error.ExitError):  # PyAV's own limit
        return StreamStalled(f"connected, but no packet for {2 * TIMEOUT_S:g} s")
    if isinstance(error, _STALLED):
        return StreamStalled(words)
    if isinstance(error, _FORBIDDEN):
        return StreamRefused(words)
    if isinstance(error, av.error.HTTPClientError):
        return StreamMissing(words)
    return StreamError(words)

"""Reaching one camera step by step, then reading some seconds of what it sends."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from edge.cameras.camera_clock import ClockSource
from edge.cameras.codec_report import CodecReport, StreamMeter
from edge.cameras.door import Door
from edge.cameras.session import Session
from edge.cameras.transport import Limits, look_up
from edge.config import CameraSection
from edge.doctor.camera import Step, StreamFacts
from edge.doctor.probes.rtsp import Description, RtspAsker
from edge.doctor.rtsp_hint import Status
from edge.errors import (
    CameraError,
    ConfigError,
    MediaError,
    RtspError,
    StreamError,
    StreamRefused,
    StreamStalled,
    StreamUnsuited,
)
from edge.ingest.choice import ChosenOpener
from edge.ingest.own import PORTS
from edge.ingest.reader import Reader
from edge.ingest.source import Opener
from edge.media.sample import Packet
from edge.rtsp.challenge import Credentials
from protocol.clock import Clock
from protocol.relay import StreamName

_CONNECT_S = 4.0
_ANSWER_S = 8.0
#: At 4.5 s a group of pictures is too long: that has to be seen, with an end.
READ_S = 6.0
#: Where a camera begins between two key frames, the first may be as far away as one gop is long.
_FIRST_KEY_S = 12.0
_ENOUGH_S = 3.0
_ENOUGH_KEYS = 3
#: Of one stream, with what the reader takes to open and to give up, and a question by ONVIF.
STREAM_LIMIT_S = _CONNECT_S + _ANSWER_S + _FIRST_KEY_S + 12.0 + Limits().total_s
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One stream, how to log in to its camera, and how it is opened.

    ``onvif_address`` is where a camera that does not say its time is asked for it; None: nowhere.
    """

    stream: StreamName
    url: str
    username: str | None
    password: Callable[[], SecretStr] | None
    opener: Callable[[Reader], Opener]
    onvif_address: str | None = None

    @classmethod
    def of_camera(cls, camera: CameraSection, stream: StreamName, clock: Clock) -> Self:
        """Return a configured stream, opened as the box opens it."""
        return cls(
            stream,
            camera.url(stream),
            camera.username,
            camera.password.read if camera.password else None,
            lambda reader: ChosenOpener.of_camera(camera, stream, reader, clock),
            camera.onvif_address() if stream is StreamName.MAIN else None,
        )


def look_at(target: Target, readers: AbstractContextManager[object], clock: Clock) -> StreamFacts:
    """Return how far one gets with a stream; takes ``STREAM_LIMIT_S``, and the wait for a reader.

    ``readers`` is how many cameras may be read at a time: more would fill the network that is to be
    measured. Never more than one wrong login: pictures are asked of a camera that took the first.
    """
    return _Look(target, readers, clock).run()


class _FailedError(Exception):
    """A step that failed, in the words of what it failed by."""

    def __init__(self, step: Step, error: Exception | None = None) -> None:
        strerror = getattr(error, "strerror", None)
        super().__init__("" if error is None else strerror or str(error) or type(error).__name__)
        self.step = step


class _Look:
    """One stream, looked at once."""

    def __init__(
        self, target: Target, readers: AbstractContextManager[object], clock: Clock
    ) -> None:
        parts = urlsplit(target.url)
        self._target = target
        self._host = parts.hostname or ""
        self._port = parts.port or PORTS[parts.scheme]
        self._readers = readers
        self._clock = clock
        self._description: Description | None = None
        self._offset_s: float | None = None

    def run(self) -> StreamFacts:
        try:
            with self._connected() as connection:
                self._describe(connection)
            report = self._measured()
        except _FailedError as failed:
            return self._facts(failed=failed.step, detail=str(failed))
        if self._offset_s is None and self._target.onvif_address is not None:
            self._offset_s = _asked_by_onvif(self._target.onvif_address, self._clock)
        return self._facts(report=report)

    def _connected(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise _FailedError(Step.NAME, error) from error
        address = str(found[0][4][0])
        try:
            return socket.create_connection((address, self._port), timeout=_CONNECT_S)
        except ConnectionRefusedError as error:
            raise _FailedError(Step.PORT, error) from error
        except OSError as error:
            raise _FailedError(Step.REACH, error) from error

    def _describe(self, connection: socket.socket) -> None:
        try:
            asker = RtspAsker(self._target.url, self._clock, _ANSWER_S)
            self._description = asker.ask(connection, self._credentials())
        except ConfigError as error:
            raise _FailedError(Step.LOGIN, error) from error
        except (OSError, RtspError) as error:
            raise _FailedError(Step.RTSP, error) from error
        if (at := self._description.at) is not None:
            self._offset_s = (at - self._clock.now()).total_seconds()
        if self._description.status != Status.OK:
            raise _FailedError(Step.ANSWER)

    def _credentials(self) -> Credentials | None:
        if self._target.username is None or self._target.password is None:
            return None
        return Credentials(self._target.username, self._target.password().get_secret_value())

    def _measured(self) -> CodecReport:
        reader = Reader(self._clock)
        opener = self._target.opener(reader)
        claimed = self._description.claimed_fps if self._description else None
        try:
            with self._readers:
                report = measure(opener, claimed, self._clock)
            self._hear_time(opener)
        except StreamUnsuited as error:  # our own reader alone is allowed
            raise _FailedError(Step.PICTURE, error) from error
        except StreamRefused as error:
            raise _FailedError(Step.CODEC, error) from error
        except (StreamError, MediaError) as error:
            raise _FailedError(Step.PICTURE, error) from error
        finally:
            reader.close()
        if report is None:
            silent = StreamStalled(f"no key frame within {_FIRST_KEY_S:g} s")
            raise _FailedError(Step.PICTURE, silent)
        return report

    def _hear_time(self, opener: Opener) -> None:
        """Take how far the camera's clock is off by what it said while it played, if it did."""
        offset = opener.clock_offset(fewest=1) if isinstance(opener, ChosenOpener) else None
        if offset is not None:
            self._offset_s = offset.total_seconds()

    def _facts(
        self,
        *,
        failed: Step | None = None,
        detail: str = "",
        report: CodecReport | None = None,
    ) -> StreamFacts:
        described = self._description
        return StreamFacts(
            stream=self._target.stream,
            host=self._host,
            port=self._port,
            has_login=self._target.username is not None,
            failed=failed,
            detail=detail,
            status=None if described is None else described.status,
            clock_offset_s=self._offset_s,
            report=report,
            has_sound=described is not None and described.has_sound,
        )


def _asked_by_onvif(address: str, clock: Clock) -> float | None:
    """Return how far a camera's clock is ahead of ours, where it tells by ONVIF; without a login.

    A device that speaks no ONVIF may be anything: what its web server says is not taken.
    """
    try:
        door = look_up(Door.parse(address))
        told = Session(door, None, clock, Limits()).clock()
    except (CameraError, ValueError):
        return None
    return told.offset.total_seconds() if told.source is ClockSource.ONVIF else None


def measure(opener: Opener, claimed_fps: float | None, clock: Clock) -> CodecReport | None:
    """Return what a stream is, by ``READ_S`` of it; None where no key frame came at all.

    Raises StreamError and MediaError.
    """
    source = opener.open(watched=True)
    try:
        meter = StreamMeter(source.codec, source.extradata, claimed_fps)
        began_ns = clock.monotonic_ns()

        def take(packet: Packet) -> bool:
            meter.feed(packet)
            seconds = (packet.received_mono_ns - began_ns) / _NS_PER_S
            return not _is_enough(seconds, meter.keys)

        source.deliver(take)
        return meter.report()
    finally:
        source.close()


def _is_enough(seconds: float, keys: int) -> bool:
    if keys == 0:
        return seconds >= _FIRST_KEY_S
    return seconds >= READ_S or (seconds >= _ENOUGH_S and keys >= _ENOUGH_KEYS)

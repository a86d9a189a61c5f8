"""Reaching one camera step by step, then reading some seconds of what it sends."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from edge.cameras.codec_report import CodecReport, StreamMeter
from edge.config import CameraSection
from edge.doctor.camera import Step, StreamFacts
from edge.doctor.probes.rtsp import Description, RtspAsker
from edge.doctor.rtsp_hint import Status, server_time
from edge.errors import (
    ConfigError,
    MediaError,
    RtspError,
    StreamBasicOnly,
    StreamError,
    StreamRefused,
    StreamStalled,
    StreamUnsuited,
    StreamUntrusted,
    UntrustedError,
)
from edge.ingest.choice import ChosenOpener, TellingOpener
from edge.ingest.http_call import Call
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
#: Of one stream, with what the reader takes to open and to give up.
STREAM_LIMIT_S = _CONNECT_S + _ANSWER_S + _FIRST_KEY_S + 12.0
_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """One stream, how to log in to its camera, and how it is opened.

    ``certificate`` is the SHA-256 of the pinned one; ``basic_over_http``: the password may go out
    as it is.
    """

    stream: StreamName
    url: str
    username: str | None
    password: Callable[[], SecretStr] | None
    opener: Callable[[Reader], TellingOpener]
    certificate: str = ""
    basic_over_http: bool = False

    @classmethod
    def of_camera(cls, camera: CameraSection, stream: StreamName, clock: Clock) -> Self:
        """Return a configured stream, opened as the box opens it."""
        return cls(
            stream,
            camera.url(stream),
            camera.username,
            camera.password.read if camera.password else None,
            lambda reader: ChosenOpener.of_camera(camera, stream, reader, clock),
            camera.certificate_sha256 or "",
            camera.basic_over_http,
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
        self._is_http = parts.scheme in {"http", "https"}
        self._port = parts.port or PORTS[parts.scheme]
        self._readers = readers
        self._clock = clock
        self._description: Description | None = None
        self._offset_s: float | None = None
        self._only_udp = False
        self._recoded_percent: int | None = None

    def run(self) -> StreamFacts:
        try:
            with self._connected() as connection:
                if self._is_http:
                    self._ask()
                else:
                    self._describe(connection)
            report = self._measured()
        except _FailedError as failed:
            return self._facts(failed=failed.step, detail=str(failed))
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
            asker = RtspAsker(self._target.url, self._clock, _ANSWER_S, self._target.certificate)
            description = asker.ask(connection, self._credentials())
        except ConfigError as error:
            raise _FailedError(Step.LOGIN, error) from error
        except UntrustedError as error:
            raise _FailedError(Step.TLS, error) from error
        except (OSError, RtspError) as error:
            raise _FailedError(Step.RTSP, error) from error
        self._answered(description)

    def _answered(self, description: Description) -> None:
        self._description = description
        if description.at is not None:
            self._offset_s = (description.at - self._clock.now()).total_seconds()
        if description.status != Status.OK:
            raise _FailedError(Step.ANSWER)

    def _ask(self) -> None:
        try:
            call = Call(
                self._target.url,
                self._credentials(),
                self._clock,
                self._target.certificate,
                basic_over_http=self._target.basic_over_http,
            )
        except ConfigError as error:
            raise _FailedError(Step.LOGIN, error) from error
        try:
            head = call.begin()
        except StreamUntrusted as error:
            raise _FailedError(Step.TLS, error) from error
        except StreamBasicOnly as error:
            raise _FailedError(Step.PLAIN, error) from error
        except StreamError as error:
            raise _FailedError(Step.RTSP, error) from error
        finally:
            call.close()
        at = server_time(head.header("date"))
        self._answered(Description(head.status, at, claimed_fps=None, has_sound=False))

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
                began_ns = self._clock.monotonic_ns()
                report = measure(opener, claimed, self._clock)
                took_ns = self._clock.monotonic_ns() - began_ns
        except StreamUnsuited as error:  # our own reader alone is allowed
            raise _FailedError(Step.PICTURE, error) from error
        except StreamRefused as error:
            raise _FailedError(Step.CODEC, error) from error
        except (StreamError, MediaError) as error:
            raise _FailedError(Step.PICTURE, error) from error
        finally:
            self._only_udp = opener.is_only_udp
            reader.close()
        if report is None:
            silent = StreamStalled(f"no key frame within {_FIRST_KEY_S:g} s")
            raise _FailedError(Step.PICTURE, silent)
        if opener.recoded.pictures:
            self._recoded_percent = max(1, round(100 * opener.recoded.busy_ns / took_ns))
            return replace(report, claimed_fps=None)  # we take fewer, whatever it sends
        return report

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
            only_udp=self._only_udp,
            recoded_percent=self._recoded_percent,
        )


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

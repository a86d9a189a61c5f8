"""A camera that has pictures by HTTP alone: fetched one by one, or as they come (multipart).

A picture is asked for every ``every_s``, on a connection of its own: what cameras do with one that
is kept is anybody's guess.
"""

import threading
from collections.abc import Callable, Iterator
from http import HTTPStatus

from pydantic import SecretStr

from edge.config import CameraSection
from edge.errors import ConfigError, StreamError, StreamMissing, StreamRefused
from edge.ingest.http_call import Call
from edge.ingest.jpeg_reader import Head
from edge.ingest.own import SILENT_S
from edge.ingest.recoder import Recoder
from edge.ingest.source import Recoded, Taker
from edge.media.sample import Codec
from edge.rtsp.challenge import Credentials
from edge.rtsp.flaws import Flaws
from edge.rtsp.sender_clock import FEWEST
from protocol.clock import Clock
from protocol.relay import StreamName

_NS_PER_S = 1_000_000_000


class HttpOpener:
    """One stream of a camera, by HTTP. The password is asked for at each :meth:`open`."""

    #: What is wrong with a picture ends the connection.
    flaws = Flaws()

    def __init__(
        self,
        call: Callable[[], Call],
        every_s: float,
        recoded: Recoded,
        clock: Clock,
    ) -> None:
        self._call = call
        self._every_s = every_s
        self._recoded = recoded
        self._clock = clock

    @classmethod
    def of_camera(
        cls, camera: CameraSection, stream: StreamName, recoded: Recoded, clock: Clock
    ) -> "HttpOpener":
        """Return the opener of a configured stream; the main URL where there is no other."""
        password = camera.password.read if camera.password else None
        url, certificate = camera.url(stream), camera.certificate_sha256 or ""

        def call() -> Call:
            credentials = _credentials(camera.username, password)
            basic = camera.basic_over_http
            return Call(url, credentials, clock, certificate, basic_over_http=basic)

        return cls(call, camera.snapshot_every_s, recoded, clock)

    def clock_offset(self, fewest: int = FEWEST) -> None:
        """Return None: nothing that comes by HTTP says when a picture was taken."""

    def open(self, *, watched: bool = False) -> "HttpSource":  # noqa: ARG002 - always watched
        """Ask for the first picture and return what follows; see Opener.open."""
        call = self._call()
        try:
            head = call.begin()
            _check(head)
            recoder = Recoder(self._clock, self._recoded)
            source = HttpSource(self._call, call, self._every_s, recoder, self._clock)
            source.first()
        except BaseException:
            call.close()
            raise
        return source


class HttpSource:
    """Pictures that come; see PacketSource."""

    codec = Codec.H264
    extradata = b""

    def __init__(
        self,
        new_call: Callable[[], Call],
        call: Call,
        every_s: float,
        recoder: Recoder,
        clock: Clock,
    ) -> None:
        self._new_call = new_call
        self._running = call
        self._every_s = every_s
        self._recoder = recoder
        self._clock = clock
        self._closing = threading.Event()
        self._pictures = self._all()
        self._first: bytes | None = None

    def first(self) -> None:
        """Await the first picture, so that opening fails where none comes."""
        self._first = next(self._pictures, None)
        if self._first is None:
            raise StreamError("the camera closed the connection before a picture came")

    def deliver(self, take: Taker) -> None:
        """Give ``take`` the pictures as packets, in this thread; see PacketSource.deliver."""
        picture = self._first
        while picture is not None and not self._closing.is_set():
            packet = self._recoder.take(picture)
            if packet is not None and not take(packet):
                return
            picture = next(self._pictures, None)

    def close(self) -> None:
        """Hang up, and ask for nothing more. Idempotent."""
        self._closing.set()
        self._running.close()

    def _all(self) -> Iterator[bytes]:
        """Yield the pictures of the call that runs, and of further ones where it has one alone."""
        while True:
            due_ns = self._clock.monotonic_ns() + round(self._every_s * _NS_PER_S)
            head = self._running.head
            while (picture := self._running.picture(SILENT_S)) is not None:
                yield picture
                if not head.is_several:
                    break
            if head.is_several:
                return
            self._running.close()
            left_s = (due_ns - self._clock.monotonic_ns()) / _NS_PER_S
            if self._closing.wait(max(0.0, left_s)):
                return
            self._running = self._new_call()
            _check(self._running.begin())


def _credentials(
    username: str | None, password: Callable[[], SecretStr] | None
) -> Credentials | None:
    if username is None or password is None:
        return None
    try:
        return Credentials(username, password().get_secret_value())
    except ConfigError as error:
        raise StreamRefused(str(error)) from None


def _check(head: Head) -> None:
    """Raise what an answer that is no success means."""
    said = f"the camera answers {head.status}"
    if head.status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise StreamRefused(said)
    if HTTPStatus.BAD_REQUEST <= head.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise StreamMissing(said)
    if head.status != HTTPStatus.OK:
        raise StreamError(said)

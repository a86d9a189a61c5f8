"""Opening one stream with our own reader: RTSP with the data on the same connection."""

import secrets
import socket
import ssl
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

from edge.config import CameraSection
from edge.errors import ConfigError, RtspError, StreamError, StreamRefused, StreamStalled
from edge.ingest.reader import Line, Reader
from edge.ingest.source import Taker
from edge.media.sample import Codec
from edge.rtsp.challenge import Authoriser, Credentials
from edge.rtsp.dialogue import Dialogue
from edge.rtsp.flaws import Flaws
from edge.rtsp.message import FRAME_MARK, Frame, MessageReader
from edge.rtsp.reception import Reception
from edge.rtsp.sender_clock import FEWEST, SenderClock
from protocol.clock import Clock
from protocol.relay import StreamName

#: Of connecting and of each answer.
ANSWER_S = 2.8
#: Of all answers together: a camera that sends a byte a second is not waited for.
OPEN_S = 2 * ANSWER_S
#: Without a packet for so long the camera is given up (budget: 6 s).
SILENT_S = 5.6
#: What may come behind the last answer, before the reader takes over.
MAX_EARLY_BYTES = 128 * 1024

#: Where RTSP is, where an address does not say.
PORTS = {"rtsp": 554, "rtsps": 322}
_RECEIVE_BYTES = 16 * 1024
_NS_PER_S = 1_000_000_000


class OwnOpener:
    """One stream of a camera, by TCP. The password is asked for at each :meth:`open`."""

    def __init__(
        self,
        url: str,
        reader: Reader,
        clock: Clock,
        username: str | None = None,
        password: Callable[[], SecretStr] | None = None,
    ) -> None:
        self._url = url
        self._reader = reader
        self._clock = clock
        self._username = username
        self._password = password
        #: Of connections that are over, and the newest one: replaced in one step, read by anybody.
        self._received: tuple[Flaws, Reception | None] = (Flaws(), None)
        self._sender_clock = SenderClock()

    @property
    def flaws(self) -> Flaws:
        """What was wrong with what came on all connections so far; from any thread."""
        past, newest = self._received
        return past if newest is None else past + newest.flaws

    def clock_offset(self, fewest: int = FEWEST) -> timedelta | None:
        """Return the camera's clock less the box's (SenderClock.offset); from any thread."""
        return self._sender_clock.offset(self._clock.now(), self._clock.monotonic_ns(), fewest)

    @classmethod
    def of_camera(
        cls, camera: CameraSection, stream: StreamName, reader: Reader, clock: Clock
    ) -> "OwnOpener":
        """Return the opener of a configured stream; the main URL where there is no other."""
        password = camera.password.read if camera.password else None
        return cls(camera.url(stream), reader, clock, camera.username, password)

    def open(self, *, watched: bool = False) -> "OwnSource":  # noqa: ARG002 - always watched
        """Connect and have the camera play; at most ``ANSWER_S`` and ``OPEN_S``; see Opener.open.

        Raises StreamUnsuited (a StreamRefused) for what only FFmpeg may do, StreamStalled for a
        camera that accepts and stays silent, RtspError for one that talks nonsense.
        """
        authoriser = Authoriser(self._credentials(), lambda: secrets.token_hex(8))
        address = urlsplit(self._url)
        try:
            connection = self._connected(address)
        except TimeoutError:
            raise StreamStalled(f"no answer within {ANSWER_S:g} s") from None
        except OSError as error:
            raise StreamError(f"no connection: {error.strerror or 'unknown host'}") from None
        try:
            return self._played(connection, Dialogue(bare(address), authoriser))
        except TimeoutError:
            connection.close()
            raise StreamStalled(f"no answer within {ANSWER_S:g} s") from None
        except OSError as error:
            connection.close()
            raise StreamError(f"the connection broke: {error.strerror or 'closed'}") from None
        except BaseException:
            connection.close()
            raise

    def _credentials(self) -> Credentials | None:
        if self._username is None or self._password is None:
            return None
        try:
            return Credentials(self._username, self._password().get_secret_value())
        except ConfigError as error:
            raise StreamRefused(str(error)) from None

    def _connected(self, address: SplitResult) -> socket.socket:
        host, port = address.hostname or "", address.port or PORTS[address.scheme]
        connection = socket.create_connection((host, port), ANSWER_S)
        if address.scheme == "rtsp":
            return connection
        try:
            return any_certificate().wrap_socket(connection, server_hostname=host)
        except BaseException:
            connection.close()
            raise

    def _played(self, connection: socket.socket, dialogue: Dialogue) -> "OwnSource":
        """Talk until the camera plays; what comes between the answers is kept for the reader."""
        deadline_ns = self._clock.monotonic_ns() + round(OPEN_S * _NS_PER_S)
        messages, early = MessageReader(), bytearray()
        connection.sendall(dialogue.begin())
        while not dialogue.plays:
            item = messages.next()
            if item is None:
                if self._clock.monotonic_ns() >= deadline_ns:
                    raise TimeoutError
                data = connection.recv(_RECEIVE_BYTES)
                if not data:
                    raise StreamError("the camera closed the connection before it played")
                messages.feed(data)
            elif isinstance(item, Frame):
                early += bytes((FRAME_MARK, item.channel)) + len(item.payload).to_bytes(2)
                early += item.payload
                if len(early) > MAX_EARLY_BYTES:
                    raise RtspError("the camera sends, but does not answer")
            elif item.status:
                connection.sendall(dialogue.answer(item))
        connection.settimeout(0)
        reception = Reception(dialogue.track, dialogue.channel, self._sender_clock)
        self._received = (self.flaws, reception)
        line = Line(connection, dialogue, reception, bytes(early) + messages.rest)
        return OwnSource(line, dialogue, self._reader, self._clock)


class OwnSource:
    """A camera that plays; see PacketSource."""

    def __init__(self, line: Line, dialogue: Dialogue, reader: Reader, clock: Clock) -> None:
        self._line = line
        self._dialogue = dialogue
        self._reader = reader
        self._clock = clock
        self._closed = False

    @property
    def codec(self) -> Codec:
        """What the video is coded in."""
        return self._dialogue.track.codec

    @property
    def extradata(self) -> bytes:
        """The parameter sets of the camera's description, as Annex B; may be empty."""
        return self._dialogue.track.parameter_sets

    def deliver(self, take: Taker) -> None:
        """Give ``take`` the packets, in the reader's thread; see PacketSource.deliver."""
        self._line.begin(take, SILENT_S, self._clock.monotonic_ns())
        self._reader.add(self._line)
        self._line.wait()

    def close(self) -> None:
        """Let the camera know, as far as it listens, and close the connection."""
        if self._closed:
            return
        self._closed = True
        self._reader.remove(self._line)
        self._line.hang_up()


def bare(address: SplitResult) -> str:
    """Return an address as it is asked for: with no fragment, and no one's name in it."""
    host = address.netloc.rpartition("@")[2]
    return address._replace(netloc=host, fragment="").geturl()


def any_certificate() -> ssl.SSLContext:
    """Return TLS that takes each certificate: cameras sign their own, and change them.

    It keeps the password from who only listens, as FFmpeg's does.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

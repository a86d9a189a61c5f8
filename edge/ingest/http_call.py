"""One question by HTTP to a camera that has pictures there."""

import secrets
import socket
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import quote, urlsplit

from edge import trust
from edge.errors import (
    StreamBasicOnly,
    StreamError,
    StreamStalled,
    StreamUntrusted,
    UntrustedError,
)
from edge.ingest.jpeg_reader import Head, JpegReader
from edge.ingest.own import ANSWER_S, OPEN_S, PORTS, bare
from edge.rtsp.challenge import Authoriser, Credentials
from protocol.clock import Clock

_RECEIVE_BYTES = 64 * 1024
_NS_PER_S = 1_000_000_000
#: Of a path and a query: what means something there, or is escaped already.
_AS_IT_IS = "%/?&=:;,+!$'()*@[]~"


class Call:
    """One GET of one address; the password is answered with where the camera asks for it, once.

    As Basic it goes out only over TLS, or where that is allowed (``basic_over_http``). Used by one
    thread, but for :meth:`close`.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None,
        clock: Clock,
        certificate: str = "",
        *,
        basic_over_http: bool = False,
    ) -> None:
        self._address = urlsplit(url)
        self._authoriser = Authoriser(credentials, lambda: secrets.token_hex(8))
        self._clock = clock
        self._certificate = certificate
        self._takes_basic = basic_over_http or self._address.scheme == "https"
        self._connection: socket.socket | None = None
        self._reader = JpegReader()

    @property
    def head(self) -> Head:
        """What the answer begins with; only after :meth:`begin`."""
        assert self._reader.head is not None
        return self._reader.head

    def begin(self) -> Head:
        """Ask, and return the head of the answer, whatever its status.

        Raises StreamUntrusted, StreamBasicOnly, StreamStalled, else StreamError.
        """
        deadline_ns = self._clock.monotonic_ns() + round(OPEN_S * _NS_PER_S)
        head = self._asked(deadline_ns)
        challenges = head.headers.get("www-authenticate", [])
        if head.status == HTTPStatus.UNAUTHORIZED and challenges:
            digests = [each for each in challenges if not each.lower().startswith("basic")]
            if self._authoriser.take(challenges if self._takes_basic else digests):
                return self._asked(deadline_ns)
            if not digests and not self._takes_basic:
                raise StreamBasicOnly(
                    "the camera wants the password as it is over plain HTTP: 'basic_over_http'"
                )
        return head

    def picture(self, within_s: float) -> bytes | None:
        """Return the next picture, None where the answer is over; raises as :meth:`begin` does."""
        deadline_ns = self._clock.monotonic_ns() + round(within_s * _NS_PER_S)
        while True:
            if (picture := self._reader.next()) is not None:
                return picture
            data = self._received(deadline_ns, within_s)
            if not data:
                return self._reader.next(is_end=True)
            self._reader.feed(data)

    def close(self) -> None:
        """End it; who waits for it is told that it broke. From any thread, idempotent."""
        if (connection := self._connection) is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _asked(self, deadline_ns: int) -> Head:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._connected()
        self._reader = JpegReader()
        target = f"{self._address.path or '/'}{'?' if self._address.query else ''}"
        target = quote(target + self._address.query, safe=_AS_IT_IS)
        host = urlsplit(bare(self._address)).netloc
        lines = [f"GET {target} HTTP/1.0", f"Host: {host}", "Accept: image/jpeg, multipart/*"]
        if (login := self._authoriser.header("GET", target)) is not None:
            lines.append(f"Authorization: {login}")
        try:
            self._connection.settimeout(ANSWER_S)
            self._connection.sendall("\r\n".join([*lines, "", ""]).encode())
        except OSError as error:
            raise _broken(error) from None
        while self._reader.head is None:
            data = self._received(deadline_ns, OPEN_S)
            if not data:
                raise StreamError("the camera closed the connection without an answer")
            self._reader.feed(data)
        return self._reader.head

    def _received(self, deadline_ns: int, within_s: float) -> bytes:
        left_s = (deadline_ns - self._clock.monotonic_ns()) / _NS_PER_S
        stalled = StreamStalled(f"connected, but no picture for {within_s:g} s")
        if left_s <= 0:
            raise stalled
        assert self._connection is not None
        try:
            self._connection.settimeout(left_s)
            return self._connection.recv(_RECEIVE_BYTES)
        except TimeoutError:
            raise stalled from None
        except OSError as error:
            raise _broken(error) from None

    def _connected(self) -> socket.socket:
        host, scheme = self._address.hostname or "", self._address.scheme
        try:
            plain = socket.create_connection((host, self._address.port or PORTS[scheme]), ANSWER_S)
        except TimeoutError:
            raise StreamStalled(f"no answer within {ANSWER_S:g} s") from None
        except OSError as error:
            raise StreamError(f"no connection: {error.strerror or 'unknown host'}") from None
        if scheme == "http":
            return plain
        try:
            return trust.secured(plain, host, self._certificate, ANSWER_S)
        except UntrustedError as error:
            raise StreamUntrusted(str(error)) from None
        except OSError as error:
            raise _broken(error) from None
        finally:
            plain.close()  # nothing where TLS has taken it over


def _broken(error: OSError) -> StreamError:
    return StreamError(f"the connection broke: {error.strerror or 'closed'}")

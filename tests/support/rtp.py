"""What a camera sends by RTP, and a small server that says just what a test tells it to."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Self

from edge.media.nal import split
from edge.media.sample import Codec
from edge.rtsp.message import Message, MessageReader

SOURCE = 0x1234_5678
PAYLOAD_TYPE = 96
_NAMES = {Codec.H264: "H264", Codec.H265: "H265"}


def payloads(codec: Codec, unit: bytes, most_bytes: int) -> Iterator[bytes]:
    """Yield a NAL unit as RTP payloads of at most so many bytes: whole, or in fragments."""
    if len(unit) <= most_bytes:
        yield unit
        return
    head = 1 if codec is Codec.H264 else 2
    room = most_bytes - head - 1
    body = unit[head:]
    for start in range(0, len(body), room):
        mark = (0x80 if start == 0 else 0) | (0x40 if start + room >= len(body) else 0)
        if codec is Codec.H264:
            yield bytes((unit[0] & 0xE0 | 28, mark | unit[0] & 0x1F)) + body[start : start + room]
        else:
            kind = unit[0] >> 1 & 0x3F
            first = unit[0] & 0x81 | 49 << 1
            yield bytes((first, unit[1], mark | kind)) + body[start : start + room]


def aggregate(codec: Codec, units: Iterable[bytes]) -> bytes:
    """Return several units as one payload."""
    head = b"\x18" if codec is Codec.H264 else b"\x60\x01"
    return head + b"".join(len(unit).to_bytes(2) + unit for unit in units)


def rtp(number: int, time: int, payload: bytes, *, marked: bool = False) -> bytes:
    """Return an RTP packet in its frame on channel 0."""
    head = bytes((0x80, marked << 7 | PAYLOAD_TYPE)) + (number & 0xFFFF).to_bytes(2)
    packet = head + (time & 0xFFFF_FFFF).to_bytes(4) + SOURCE.to_bytes(4) + payload
    return framed(0, packet)


def framed(channel: int, data: bytes) -> bytes:
    """Return data in its frame."""
    return b"$" + bytes((channel,)) + len(data).to_bytes(2) + data


def stream(
    codec: Codec,
    access_units: Iterable[tuple[bytes, int]],
    *,
    most_bytes: int = 1200,
    first_number: int = 65_530,
    first_time: int = 0xFFFF_0000,
) -> list[bytes]:
    """Return each access unit (Annex B, and its time in 90 kHz) as the bytes that a camera sends.

    Numbers and times wrap early.
    """
    number, sent = first_number, []
    for data, pts_90k in access_units:
        parts = [part for unit in split(data) for part in payloads(codec, unit, most_bytes)]
        sent.append(b"")
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            sent[-1] += rtp(number, first_time + pts_90k, part, marked=last)
            number += 1
    return sent


def description(codec: Codec, extra: str = "") -> bytes:
    """Return an SDP of a camera with sound, which comes first, and video."""
    lines = [
        *("v=0", "o=- 1 1 IN IP4 192.0.2.7", "s=Media", "a=control:*"),
        *("m=audio 0 RTP/AVP 8", "a=control:trackID=1"),
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        f"a=rtpmap:{PAYLOAD_TYPE} {_NAMES[codec]}/90000",
        *([f"a=fmtp:{PAYLOAD_TYPE} {extra}"] if extra else []),
        "a=control:trackID=2",
    ]
    return ("\r\n".join(lines) + "\r\n").encode()


def reply(message: Message, status: str = "200 OK", body: bytes = b"", **headers: str) -> bytes:
    """Return an answer to a request."""
    lines = [f"RTSP/1.0 {status}", f"CSeq: {message.header('cseq')}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def plays(codec: Codec, sent: Iterable[bytes]) -> "Camera":
    """Return what a camera does that answers everything and then sends these bytes."""

    def camera(message: Message) -> Iterable[bytes]:
        match message.method:
            case "OPTIONS":
                yield reply(message, Public="OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER")
            case "DESCRIBE":
                yield reply(message, body=description(codec), Content_Type="application/sdp")
            case "SETUP":
                transport = "RTP/AVP/TCP;unicast;interleaved=0-1"
                yield reply(message, Transport=transport, Session="7;timeout=60")
            case "PLAY":
                yield reply(message, Session="7")
                yield from sent
            case _:
                yield reply(message)

    return camera


#: What a camera sends to each request.
Camera = Callable[[Message], Iterable[bytes]]


class ScriptedCamera:
    """A real server on a port of the system's choice, for any number of clients.

    ``stays``: the connection stays open after all was said; ``certificate``: with its key, of a
    camera that speaks TLS. ``requests`` are what clients asked.
    """

    def __init__(
        self, camera: Camera, *, stays: bool = False, certificate: Path | None = None
    ) -> None:
        self._camera = camera
        self._stays = stays
        self._server = socket.create_server(("127.0.0.1", 0))
        self._over = threading.Event()
        self._tls = None
        if certificate is not None:
            self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._tls.load_cert_chain(certificate)
        self.requests: list[Message] = []

    @property
    def url(self) -> str:
        """Where it is."""
        scheme = "rtsp" if self._tls is None else "rtsps"
        return f"{scheme}://127.0.0.1:{self._server.getsockname()[1]}/cam"

    def __enter__(self) -> Self:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            try:
                client, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(client,), daemon=True).start()

    def _talk(self, client: socket.socket) -> None:
        reader = MessageReader()
        if self._tls is not None:
            try:
                client = self._tls.wrap_socket(client, server_side=True)
            except OSError:
                return  # one that does not trust us
        with client:
            while data := _received(client):
                reader.feed(data)
                while isinstance(message := reader.next(), Message):
                    self.requests.append(message)
                    try:
                        for part in self._camera(message):
                            client.sendall(part)
                    except OSError:
                        return
                    if message.method == "PLAY" and not self._stays:
                        return


def _received(client: socket.socket) -> bytes:
    try:
        return client.recv(65536)
    except OSError:
        return b""

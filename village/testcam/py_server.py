"""The test camera in pure Python, for machines without GStreamer: RTSP 1.0, RTP in TCP only.

``python -m village.testcam.py_server --mount /cam=clip.h264@7``. It answers 461 to UDP, as some
cameras behind a firewall do. (RFC 2326; payloads in session.py.)
"""

import asyncio
import contextlib
import signal
import ssl
import sys
from urllib.parse import urlsplit

from protocol.clock import Clock, SystemClock
from village.testcam.auth import Gate
from village.testcam.clip import Clip
from village.testcam.programme import Options, Programme, Report, parse_options
from village.testcam.session import PAYLOAD_TYPE, Viewing

_METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER, TEARDOWN"
_SESSION_TIMEOUT_S = 60
_MAX_HEAD_BYTES = 16_384
_REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    454: "Session Not Found",
    461: "Unsupported Transport",
    501: "Not Implemented",
}


class Station:
    """A mount that plays from the server's start, and the clients that look at it now."""

    def __init__(self, programme: Programme, report: Report, clock: Clock) -> None:
        self.programme = programme
        self.viewings: set[Viewing] = set()
        self._report = report
        self._clock = clock

    async def run(self) -> None:
        """Play for ever."""
        frame = 0
        while True:
            now_ns = self._clock.monotonic_ns()
            frame = self.programme.catch_up(frame, now_ns)
            await asyncio.sleep(max(0, self.programme.due_ns(frame) - now_ns) / 1e9)
            if frame % len(self.programme.clip.units) == 0:
                self._report.loop(self.programme, frame)
            unix_s = self._clock.now().timestamp()
            for viewing in self.viewings:
                viewing.push(frame, unix_s)
            frame += 1

    def describe(self) -> bytes:
        """Return the SDP (RFC 4566)."""
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=tanshao test camera",
            "t=0 0",
            "a=control:*",
            f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
            "c=IN IP4 0.0.0.0",
            *self.programme.clip.sdp_lines(PAYLOAD_TYPE),
            f"a=framerate:{float(self.programme.mount.fps):g}",
            "a=control:video",
        ]
        return "".join(f"{line}\r\n" for line in lines).encode()


class Connection:
    """One client's connection: requests in, answers and interleaved RTP out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        stations: dict[str, Station],
        gate: Gate,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._stations = stations
        self._gate = gate
        self._session = f"{id(self) & 0xFFFFFFFF:08x}"
        self._ready: tuple[Station, Viewing] | None = None

    async def run(self) -> None:
        """Answer until the client goes, stops the session or sends what is not RTSP."""
        try:
            while await self._once():
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError, ValueError):
            # What a client sends before it goes is of no interest: a camera hangs up too.
            self._writer.transport.abort()
        finally:
            self._pause()
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()

    async def _once(self) -> bool:
        first = await self._reader.readexactly(1)
        if first == b"$":  # the client's RTCP
            head = await self._reader.readexactly(3)
            await self._reader.readexactly(int.from_bytes(head[1:]))
            return True
        text = (first + await self._reader.readuntil(b"\r\n\r\n")).decode("utf-8", "replace")
        line, *rest = text.strip().split("\r\n")
        method, target, _version = line.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip()
            for name, _, value in (item.partition(":") for item in rest)
        }
        await self._reader.readexactly(int(headers.get("content-length", "0")))
        return await self._answer(method, target, headers)

    async def _answer(self, method: str, target: str, headers: dict[str, str]) -> bool:
        sequence = headers.get("cseq", "0")
        if method == "OPTIONS":
            await self._reply(200, sequence, {"Public": _METHODS})
            return True
        if not self._gate.opens(method, target, headers.get("authorization", "")):
            await self._reply(401, sequence, {"WWW-Authenticate": self._gate.challenge()})
            return True
        path = urlsplit(target).path.rstrip("/").removesuffix("/video")
        if method == "DESCRIBE":
            await self._describe(path, target, sequence)
        elif method == "SETUP":
            await self._setup(path, headers.get("transport", ""), sequence)
        elif method == "PLAY":
            await self._play(sequence)
        elif method == "GET_PARAMETER":
            await self._reply(200, sequence, {"Session": self._session})
        elif method == "TEARDOWN":
            self._pause()
            await self._reply(200, sequence, {"Session": self._session})
            return False
        else:
            await self._reply(501, sequence, {})
        return True

    async def _describe(self, path: str, target: str, sequence: str) -> None:
        station = self._stations.get(path)
        if station is None:
            await self._reply(404, sequence, {})
            return
        headers = {"Content-Base": f"{target.rstrip('/')}/", "Content-Type": "application/sdp"}
        await self._reply(200, sequence, headers, station.describe())

    async def _setup(self, path: str, transport: str, sequence: str) -> None:
        station = self._stations.get(path)
        if station is None:
            await self._reply(404, sequence, {})
            return
        if "RTP/AVP/TCP" not in transport:
            await self._reply(461, sequence, {})
            return
        low, high = 0, 1
        for part in transport.split(";"):
            if part.startswith("interleaved="):
                pair = part.removeprefix("interleaved=").split("-")
                low, high = int(pair[0]) & 0xFF, int(pair[-1]) & 0xFF
        self._pause()
        self._ready = (station, Viewing(self._writer, (low, high), station.programme))
        session = f"{self._session};timeout={_SESSION_TIMEOUT_S}"
        given = f"RTP/AVP/TCP;unicast;interleaved={low}-{high}"
        await self._reply(200, sequence, {"Session": session, "Transport": given})

    async def _play(self, sequence: str) -> None:
        if self._ready is None:
            await self._reply(454, sequence, {})
            return
        await self._reply(200, sequence, {"Session": self._session, "Range": "npt=now-"})
        station, viewing = self._ready
        station.viewings.add(viewing)

    def _pause(self) -> None:
        if self._ready is not None:
            station, viewing = self._ready
            station.viewings.discard(viewing)

    async def _reply(
        self, status: int, sequence: str, headers: dict[str, str], body: bytes = b""
    ) -> None:
        fields = {"CSeq": sequence, **headers}
        if body:
            fields["Content-Length"] = str(len(body))
        head = f"RTSP/1.0 {status} {_REASONS[status]}\r\n"
        head += "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._writer.write(head.encode() + b"\r\n" + body)
        await self._writer.drain()


async def serve(options: Options, clock: Clock) -> None:
    """Serve until SIGTERM or SIGINT."""
    clips = {mount.file: Clip.load(mount.file) for mount in options.mounts}
    gate = Gate(options.credentials)
    report = Report(clock)
    stations = {
        mount.path: Station(
            Programme(mount, clips[mount.file], report.started_mono_ns), report, clock
        )
        for mount in options.mounts
    }
    clients: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        clients.add(task)
        task.add_done_callback(clients.discard)
        await Connection(reader, writer, stations, gate).run()

    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tls = None
    if options.certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.certificate)
    server = await asyncio.start_server(
        accept, options.host, options.port, limit=_MAX_HEAD_BYTES, ssl=tls
    )
    report.ready("python", options.host, server.sockets[0].getsockname()[1])
    pumps = [asyncio.create_task(station.run()) for station in stations.values()]
    await stop.wait()
    server.close()
    for task in (*pumps, *clients):
        task.cancel()
    await asyncio.gather(*pumps, *clients, return_exceptions=True)


if __name__ == "__main__":
    try:
        asyncio.run(serve(parse_options(), SystemClock()))
    except OSError as problem:
        sys.stderr.write(f"{problem}\n")
        sys.exit(1)

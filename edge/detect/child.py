"""The detector process: decodes every camera's sub-stream, looks at the newest due frames.

Started by edge.detect.process as ``python -m edge.detect.child --fd N``; imports next to nothing of
the edge but the wire. One thread: reads, decodes, infers one picture, tells, and beats; so a hang
of any of these shows as silence. It ends when its parent or the socket does.
"""

import argparse
import json
import logging
import os
import select
import socket
from pathlib import Path

import av
import numpy as np

from edge.detect import wire
from edge.detect.schedule import Due, Newest
from edge.orphan import die_with_parent
from models import manifest, person
from models.errors import ModelError
from protocol.clock import Clock, SystemClock

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
#: So long is decoded before one picture is inferred, however much more is waiting.
_DECODE_NS = 200_000_000
_BEAT_NS = round(wire.BEAT_S * 1e9)
_NICE = 5  # recording and live video come first


class Decoder:
    """One camera's run: samples in, due frames out."""

    def __init__(self, stream: wire.Stream) -> None:
        self.run = stream.run
        self._stream = stream
        self._due = Due(stream.fps)
        self._context = self._open()
        self._needs_key = True

    def _open(self) -> av.VideoCodecContext:
        name = {"h264": "h264", "h265": "hevc"}.get(self._stream.codec, self._stream.codec)
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.extradata = self._stream.extradata
        context.thread_count = 1
        return context

    def pace(self, fps: float) -> None:
        """Look at so many frames a second from now on."""
        self._due.pace(fps)

    @property
    def interval_s(self) -> float:
        """How long after a due frame the next one is."""
        return self._due.interval_s

    def decode(self, unit: wire.Unit) -> list[av.VideoFrame]:
        """Return the due frames that this unit completes.

        Raises av.FFmpegError for what can't be decoded; then nothing comes until a key frame.
        """
        if self._needs_key and not unit.is_key:
            return []
        packet = av.Packet(unit.data)
        packet.pts, packet.dts = unit.pts_90k, unit.dts_90k
        try:
            frames = self._context.decode(packet)
        except av.FFmpegError:
            self._context = self._open()
            self._needs_key = True
            raise
        self._needs_key = False
        return [f for f in frames if f.pts is not None and self._due.is_due(f.pts)]


class Worker:
    """The loop. ``run`` returns when the other side has closed the socket."""

    def __init__(self, link: socket.socket, model: person.PersonModel, clock: Clock) -> None:
        self._link = link
        self._model = model
        self._clock = clock
        self._deframer = wire.Deframer()
        self._decoders: dict[int, Decoder] = {}
        self._newest: Newest[tuple[bytes, av.VideoFrame]] = Newest()
        self._decoded = self._inferred = self._decode_errors = 0
        self._beat_ns = 0

    def run(self) -> None:
        """Work until the socket ends. Raises WireError, ModelError and OSError."""
        while self._read():
            turn = self._newest.take()
            if turn is not None:
                self._infer(turn[0], *turn[1])
            self._beat()

    def _read(self) -> bool:
        """Read and decode what is there; wait for it only where there is nothing else to do."""
        until_ns = self._clock.monotonic_ns() + _DECODE_NS
        wait_s = 0.0 if self._newest else wire.BEAT_S / 2
        while select.select([self._link], [], [], wait_s)[0]:
            data = self._link.recv(_READ_BYTES)
            if not data:
                return False
            for kind, payload in self._deframer.feed(data):
                self._take(kind, payload)
            if self._clock.monotonic_ns() >= until_ns:
                break
            wait_s = 0.0
        return True

    def _take(self, kind: wire.Kind, payload: bytes) -> None:
        if kind is wire.Kind.STREAM:
            stream = wire.parse_stream(payload)
            self._newest.drop(stream.camera)
            self._decoders[stream.camera] = Decoder(stream)
        elif kind is wire.Kind.PACE:
            pace = wire.parse_pace(payload)
            if pace.camera in self._decoders:
                self._decoders[pace.camera].pace(pace.fps)
        elif kind is wire.Kind.SAMPLE:
            self._decode(wire.parse_unit(payload))
        elif kind is wire.Kind.GONE:
            camera = wire.parse_gone(payload)
            self._newest.drop(camera)
            self._decoders.pop(camera, None)

    def _decode(self, unit: wire.Unit) -> None:
        decoder = self._decoders.get(unit.camera)
        if decoder is None:
            return
        try:
            frames = decoder.decode(unit)
        except av.FFmpegError as error:
            self._decode_errors += 1
            log.debug("detect.decode", extra={"camera": unit.camera, "error": repr(error)})
            return
        self._decoded += 1
        deadline_ns = self._clock.monotonic_ns() + round(decoder.interval_s * 1e9)
        for frame in frames:
            self._newest.put(unit.camera, (decoder.run, frame), deadline_ns)

    def _infer(self, camera: int, run: bytes, frame: av.VideoFrame) -> None:
        picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        height, width = picture.shape[:2]
        found = self._model.infer(picture)
        self._inferred += 1
        boxes = tuple(
            (left / width, top / height, right / width, bottom / height, score)
            for left, top, right, bottom, score in found
        )
        assert frame.pts is not None
        self._send(wire.pack_result(wire.Result(camera, run, frame.pts, width / height, boxes)))

    def _beat(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._beat_ns < _BEAT_NS:
            return
        self._beat_ns = now_ns
        beat = wire.Beat(
            decoded=self._decoded,
            inferred=self._inferred,
            superseded=self._newest.superseded,
            decode_errors=self._decode_errors,
            rss_bytes=_rss_bytes(),
        )
        self._send(wire.pack_beat(beat))

    def _send(self, data: bytes) -> None:
        self._link.sendall(data)


def _rss_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _setup(link: socket.socket) -> wire.Setup:
    deframer = wire.Deframer()
    while data := link.recv(4096):
        for kind, payload in deframer.feed(data):
            if kind is wire.Kind.SETUP:
                return wire.parse_setup(payload)
    raise wire.WireError("the box closed before the setup")


def main() -> None:
    """Serve one box on the socket that the parent left open."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    os.nice(_NICE)
    with socket.socket(fileno=arguments.fd) as link:
        setup = _setup(link)
        try:
            model = person.load(
                manifest.find(setup.model), Path(setup.path), min_score=setup.min_score
            )
        except ModelError as error:
            link.sendall(wire.frame(wire.Kind.FAILED, str(error).encode()[:2000]))
            return
        link.sendall(wire.frame(wire.Kind.READY, json.dumps({"model": setup.model}).encode()))
        try:
            Worker(link, model, SystemClock()).run()
        except (BrokenPipeError, ConnectionResetError):
            return  # the box has gone


if __name__ == "__main__":
    main()

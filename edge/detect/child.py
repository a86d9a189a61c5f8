"""The detector process: decodes every camera's sub-stream, looks at the newest due frames.

Of every decoded run one picture a second is also held against what the camera usually shows.

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

from edge.detect import picture, wire
from edge.detect.picture_health import PictureHealth, Verdict
from edge.detect.schedule import TICKS_PER_S, Due, Newest
from edge.modest import come_last
from edge.orphan import die_with_parent
from models import manifest, person
from models.errors import ModelError
from models.runtime import Runtime
from protocol.clock import Clock, SystemClock

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
#: So long is decoded before one picture is inferred, however much more is waiting.
_DECODE_NS = 200_000_000
_BEAT_NS = round(wire.BEAT_S * 1e9)
_NICE = 5  # recording and live video come first
#: How often a camera's own health is judged.
_HEALTH_FPS = 1.0
_PLANAR = frozenset({"yuv420p", "yuvj420p", "yuv422p", "yuvj422p", "yuv444p", "yuvj444p"})


class Decoder:
    """One camera's run: samples in, due frames out."""

    def __init__(self, stream: wire.Stream) -> None:
        self.run = stream.run
        self._stream = stream
        self._due = Due(stream.fps) if stream.fps else None
        self._health_due = Due(_HEALTH_FPS) if stream.health else None
        self._context = self._open()
        self._needs_key = True
        self._keyed = False

    def _open(self) -> av.VideoCodecContext:
        name = {"h264": "h264", "h265": "hevc"}.get(self._stream.codec, self._stream.codec)
        context = av.CodecContext.create(name, "r")
        assert isinstance(context, av.VideoCodecContext)
        context.extradata = self._stream.extradata
        context.thread_count = 1
        if self._stream.fps == 0:
            # Key frames alone: none waits for pictures that don't come.
            context.flags |= av.codec.context.Flags.low_delay
        return context

    def pace(self, fps: float) -> None:
        """Look at so many frames a second from now on."""
        if self._due is not None:
            self._due.pace(fps)

    @property
    def interval_s(self) -> float:
        """How long after a due frame the next one is."""
        return self._due.interval_s if self._due is not None else 1.0

    def is_due(self, pts_90k: int) -> bool:
        """Return whether people are to be looked for in this frame."""
        return self._due is not None and self._due.is_due(pts_90k)

    def keyed(self) -> bool:
        """Return whether a key frame was decoded since this was last asked."""
        keyed, self._keyed = self._keyed, False
        return keyed

    def is_judged(self, pts_90k: int) -> bool:
        """Return whether the camera's health is to be judged by this frame."""
        return self._health_due is not None and self._health_due.is_due(pts_90k)

    def decode(self, unit: wire.Unit) -> list[av.VideoFrame]:
        """Return the frames that this unit completes.

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
        self._keyed |= unit.is_key
        return [frame for frame in frames if frame.pts is not None]


class Worker:
    """The loop. ``run`` returns when the other side has closed the socket."""

    def __init__(self, link: socket.socket, model: person.PersonModel | None, clock: Clock) -> None:
        self._link = link
        self._model = model
        self._clock = clock
        self._deframer = wire.Deframer()
        self._decoders: dict[int, Decoder] = {}
        # They outlive their runs: what a camera shows after it was away is held against before.
        self._healths: dict[int, PictureHealth] = {}
        self._told: dict[int, tuple[Verdict, int]] = {}
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
            self._told.pop(stream.camera, None)
            if stream.health:
                self._healths.setdefault(stream.camera, PictureHealth()).begin()
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
            assert frame.pts is not None
            if decoder.is_judged(frame.pts):
                self._judge(unit.camera, decoder.run, frame, keyed=decoder.keyed())
            if self._model is not None and decoder.is_due(frame.pts):
                self._newest.put(unit.camera, (decoder.run, frame), deadline_ns)

    def _judge(self, camera: int, run: bytes, frame: av.VideoFrame, *, keyed: bool) -> None:
        """Say how the camera's picture is, where that is new or was last said long ago."""
        assert frame.pts is not None
        luma, *chroma = _planes(frame)
        seen = picture.look(luma, (chroma[0], chroma[1]))
        verdict = self._healths[camera].judge(frame.pts / TICKS_PER_S, seen, keyed=keyed)
        told, told_90k = self._told.get(camera, (None, 0))
        if verdict == told and frame.pts - told_90k < wire.PICTURE_S * TICKS_PER_S:
            return
        self._told[camera] = verdict, frame.pts
        state = wire.PictureState(camera, run, frame.pts, verdict.is_sure, verdict.faults)
        self._send(wire.pack_picture(state))

    def _infer(self, camera: int, run: bytes, frame: av.VideoFrame) -> None:
        assert self._model is not None
        pixels = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
        height, width = pixels.shape[:2]
        found = self._model.infer(pixels)
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


def _planes(frame: av.VideoFrame) -> list[picture.Plane]:
    """Return the three planes of a frame, without a copy where it has three of eight bits."""
    if frame.format.name not in _PLANAR:
        frame = frame.reformat(format="yuv420p")
    return [
        np.frombuffer(memoryview(plane), np.uint8).reshape(plane.height, plane.line_size)[
            :, : plane.width
        ]
        for plane in frame.planes
    ]


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


def _fail(link: socket.socket, error: ModelError) -> None:
    link.sendall(wire.frame(wire.Kind.FAILED, str(error).encode()[:2000]))


def main() -> None:
    """Serve one box on the socket that the parent left open."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    die_with_parent(arguments.parent)
    come_last(_NICE)
    with socket.socket(fileno=arguments.fd) as link:
        setup = _setup(link)
        try:
            model = None
            if setup.model:
                entries = manifest.read(Path(setup.manifest)) if setup.manifest else None
                model = person.load(
                    manifest.find(setup.model, entries),
                    Path(setup.path),
                    setup.min_score,
                    Runtime(setup.runtime),
                )
        except ModelError as error:
            _fail(link, error)
            return
        link.sendall(wire.frame(wire.Kind.READY, json.dumps({"model": setup.model}).encode()))
        try:
            Worker(link, model, SystemClock()).run()
        except ModelError as error:
            _fail(link, error)
        except (BrokenPipeError, ConnectionResetError):
            return  # the box has gone


if __name__ == "__main__":
    main()

"""The detector process: decodes every camera's sub-stream, looks at the newest due frames.

Of every run one picture a second is also held against what the camera usually shows, or a key frame
in two where nothing is odd.

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

from edge.detect import picture, wire
from edge.detect.decoder import Decoder
from edge.detect.frame import planes
from edge.detect.looker import Looker, Turn
from edge.detect.picture_health import PictureHealth, Verdict
from edge.detect.schedule import TICKS_PER_S, Newest
from edge.modest import come_last
from edge.orphan import die_with_parent
from models import fire, manifest, person
from models.errors import ModelError
from models.runtime import Runtime
from protocol.clock import Clock, SystemClock

log = logging.getLogger(__name__)

_READ_BYTES = 256 * 1024
#: So long is decoded before one picture is inferred, however much more is waiting.
_DECODE_NS = 200_000_000
_BEAT_NS = round(wire.BEAT_S * 1e9)
_NICE = 5  # recording and live video come first


class Worker:
    """The loop. ``run`` returns when the other side has closed the socket."""

    def __init__(
        self,
        link: socket.socket,
        clock: Clock,
        looker: Looker,
    ) -> None:
        self._link = link
        self._looker = looker
        self._clock = clock
        self._deframer = wire.Deframer()
        self._decoders: dict[int, Decoder] = {}
        # They outlive their runs: what a camera shows after it was away is held against before.
        self._healths: dict[int, PictureHealth] = {}
        self._told: dict[int, tuple[Verdict, int]] = {}
        self._newest: Newest[Turn] = Newest()
        self._decoded = self._decode_errors = 0
        self._beat_ns = 0

    def run(self) -> None:
        """Work until the socket ends. Raises WireError, ModelError and OSError."""
        while self._read():
            turn = self._newest.take()
            if turn is not None:
                for message in self._looker.look(*turn):
                    self._send(message)
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
            self._looker.begin(stream.camera)
            if stream.health:
                self._healths.setdefault(stream.camera, PictureHealth()).begin()
        elif kind is wire.Kind.PACE:
            pace = wire.parse_pace(payload)
            if pace.camera in self._decoders:
                self._decoders[pace.camera].pace(pace.rate)
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
        before = decoder.decoded
        try:
            frames = decoder.take(unit)
        except av.FFmpegError as error:
            self._decode_errors += 1
            log.debug("detect.decode", extra={"camera": unit.camera, "error": repr(error)})
            return
        self._decoded += decoder.decoded - before
        for frame in frames:
            assert frame.pts is not None
            if decoder.is_judged(frame.pts):
                self._judge(unit.camera, decoder, frame)
            self._queue(unit.camera, decoder, frame)

    def _queue(self, camera: int, decoder: Decoder, frame: av.VideoFrame) -> None:
        """Have the frame looked at for what is due, and for what an older one still waits for."""
        assert frame.pts is not None
        wanted = decoder.wants(frame.pts)
        people = wanted.people and self._looker.knows_people
        fires = wanted.fire and self._looker.knows_fire
        if not people and not fires:
            return
        older = self._newest.waiting(camera)
        if older is not None:
            people, fires = people or older.people, fires or older.fire
        deadline_ns = self._clock.monotonic_ns() + round(wanted.within_s * 1e9)
        self._newest.put(camera, Turn(decoder.run, frame, people, fires), deadline_ns)

    def _judge(self, camera: int, decoder: Decoder, frame: av.VideoFrame) -> None:
        """Say how the camera's picture is, where that is new or was last said long ago."""
        assert frame.pts is not None
        luma, *chroma = planes(frame)
        seen = picture.look(luma, (chroma[0], chroma[1]))
        health = self._healths[camera]
        verdict = health.judge(frame.pts / TICKS_PER_S, seen, keyed=decoder.keyed())
        decoder.ease(is_at_ease=health.is_at_ease)
        told, told_90k = self._told.get(camera, (None, 0))
        if verdict == told and frame.pts - told_90k < wire.PICTURE_S * TICKS_PER_S:
            return
        self._told[camera] = verdict, frame.pts
        state = wire.PictureState(camera, decoder.run, frame.pts, verdict.is_sure, verdict.faults)
        self._send(wire.pack_picture(state))

    def _beat(self) -> None:
        now_ns = self._clock.monotonic_ns()
        if now_ns - self._beat_ns < _BEAT_NS:
            return
        self._beat_ns = now_ns
        beat = wire.Beat(
            decoded=self._decoded,
            inferred=self._looker.looked,
            repeated=self._looker.repeated,
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


def _entry(name: str, own: str) -> manifest.ModelEntry:
    """Return what the user's manifest says of a model, or the program's where none is named."""
    return manifest.find(name, manifest.read(Path(own)) if own else None)


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
            runtime = Runtime(setup.runtime)
            people = fires = None
            if setup.model:
                people = person.load(
                    _entry(setup.model, setup.manifest), Path(setup.path), setup.min_score, runtime
                )
            if setup.fire_model:
                fires = fire.load(
                    _entry(setup.fire_model, setup.fire_manifest),
                    Path(setup.fire_path),
                    setup.fire_factor,
                    runtime,
                )
        except ModelError as error:
            _fail(link, error)
            return
        link.sendall(wire.frame(wire.Kind.READY, json.dumps({"model": setup.model}).encode()))
        try:
            Worker(link, SystemClock(), Looker(people, fires)).run()
        except ModelError as error:
            _fail(link, error)
        except (BrokenPipeError, ConnectionResetError):
            return  # the box has gone


if __name__ == "__main__":
    main()

"""Our own reader on real connections: the same as FFmpeg's, and cameras that mean no good."""

import shutil
import subprocess
import threading
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bench import stepped_clock
from bench.stepped_clock import SteppedClock
from edge.config import CameraSection
from edge.errors import RtspError, StreamError, StreamMissing, StreamStalled, StreamUnsuited
from edge.ingest import own, reader
from edge.ingest.choice import ChosenOpener
from edge.ingest.ffmpeg import FfmpegOpener
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.source import Opener
from edge.media import nal
from edge.media.nal import NalRole
from edge.media.sample import Codec, Packet
from edge.rtsp.flaws import Flaws
from edge.rtsp.message import Message
from protocol.clock import SystemClock
from protocol.relay import StreamName
from tests.support.packets import FRAME_90K, access_units
from tests.support.recordings import until
from tests.support.rtp import Camera, ScriptedCamera, description, plays, reply, stream
from tests.support.rtsp import TestCamera, make_clip
from tests.support.tools import gstreamer_is_here

CLOCK = SystemClock()


@pytest.fixture
def one_reader() -> Iterator[Reader]:
    running = Reader(CLOCK)
    yield running
    running.close()


def pulled(opener: Opener, most: int = 10_000) -> list[Packet]:
    source, packets = opener.open(), []

    def take(packet: Packet) -> bool:
        packets.append(packet)
        return len(packets) < most

    try:
        source.deliver(take)
    finally:
        source.close()
    return packets


def carried(codec: Codec, packet: Packet) -> tuple[bytes, ...]:
    """Return what of a packet is recorded: delimiters are not."""
    roles = ((nal.role(codec, unit), unit) for unit in packet.units)
    return tuple(unit for kind, unit in roles if kind is not NalRole.PADDING)


@pytest.mark.parametrize("kind", ["gst", "python"])
@pytest.mark.parametrize("codec", Codec)
def test_a_camera_gives_what_ffmpegs_reader_gives(tmp_path, one_reader, codec, kind):
    if kind == "gst" and not gstreamer_is_here():
        pytest.skip("no gst-rtsp-server here")
    clip = make_clip(tmp_path / f"cam.{codec.value}", frames=200, gop=25, width=640, height=360)
    with TestCamera({"/cam": (clip, 25)}, kind=kind) as camera:
        url, found = camera.url("/cam"), {}
        openers = {"own": OwnOpener(url, one_reader, CLOCK), "ffmpeg": FfmpegOpener(url, CLOCK)}
        pulls = [
            threading.Thread(target=lambda n=name, o=opener: found.update({n: pulled(o, 60)}))
            for name, opener in openers.items()
        ]
        for pull in pulls:
            pull.start()
        for pull in pulls:
            pull.join()

    theirs = {carried(codec, packet): packet for packet in found["ffmpeg"]}
    both = [(one, theirs[key]) for one in found["own"] if (key := carried(codec, one)) in theirs]
    assert len(both) > 40
    assert [a.is_key for a, _ in both] == [b.is_key for _, b in both]
    assert len({a.pts_90k - b.pts_90k for a, b in both if b.pts_90k is not None}) == 1
    assert len({a.dts_90k - b.dts_90k for a, b in both if b.dts_90k is not None}) == 1


@pytest.mark.parametrize("b_frames", [0, 1, 2, 3])
@pytest.mark.parametrize("codec", Codec)
def test_pictures_in_another_order_get_ffmpegs_times(one_reader, codec, b_frames):
    units = access_units(codec, 100, 25, b_frames=b_frames)
    sent = stream(codec, [(data, pts * FRAME_90K) for data, pts, *_ in units], first_time=9_000)
    with ScriptedCamera(plays(codec, sent)) as camera:
        ours = pulled(OwnOpener(camera.url, one_reader, CLOCK))
        theirs = pulled(FfmpegOpener(camera.url, CLOCK))

    assert len(ours) == 100
    # FFmpeg's parser keeps the last picture back where a connection just ends.
    pairs = list(zip(ours, theirs, strict=False))
    assert len(pairs) >= 98
    assert all(carried(codec, a) == carried(codec, b) for a, b in pairs)
    assert len({a.pts_90k - b.pts_90k for a, b in pairs if b.pts_90k is not None}) == 1
    known = [(a.dts_90k, b.dts_90k) for a, b in pairs if None not in (a.dts_90k, b.dts_90k)]
    assert len({a - b for a, b in known}) == 1
    assert len(known) >= 90


def test_all_cameras_are_read_by_one_thread_and_each_by_its_own_order(one_reader):
    units = access_units(Codec.H264, 50, 25)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    threads: set[str] = set()
    found: dict[int, list[Packet]] = {}

    def pull(number: int) -> None:
        source = OwnOpener(camera.url, one_reader, CLOCK).open()
        found[number] = []

        def take(packet: Packet) -> bool:
            threads.add(threading.current_thread().name)
            found[number].append(packet)
            return True

        source.deliver(take)
        source.close()

    with ScriptedCamera(plays(Codec.H264, sent)) as camera:
        pulls = [threading.Thread(target=pull, args=(number,)) for number in range(8)]
        for each in pulls:
            each.start()
        for each in pulls:
            each.join()
    assert threads == {"ingest"}
    assert {len(packets) for packets in found.values()} == {50}


def test_a_taker_that_fails_ends_its_own_line_and_is_told_so(one_reader):
    units = access_units(Codec.H264, 25, 25)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])

    def fail(_: Packet) -> bool:
        raise ZeroDivisionError

    with ScriptedCamera(plays(Codec.H264, sent), stays=True) as camera:
        source = OwnOpener(camera.url, one_reader, CLOCK).open()
        with pytest.raises(ZeroDivisionError):
            source.deliver(fail)
        source.close()
        assert pulled(OwnOpener(camera.url, one_reader, CLOCK), 25)


def test_a_session_is_kept_reported_on_and_ended(one_reader, monkeypatch):
    monkeypatch.setattr(reader, "REPORT_S", 0.2)
    monkeypatch.setattr("edge.rtsp.dialogue._SESSION_S", 0.4)
    monkeypatch.setattr("edge.rtsp.dialogue._SHORTEST_SESSION_S", 0)
    units = access_units(Codec.H264, 25, 25)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    with ScriptedCamera(plays(Codec.H264, sent), stays=True) as camera:
        source = OwnOpener(camera.url, one_reader, CLOCK).open()
        source._dialogue.session_s = 1
        ended = threading.Thread(target=lambda: source.deliver(lambda _: True))
        ended.start()
        until(lambda: any(each.method == "GET_PARAMETER" for each in camera.requests))
        source.close()
        ended.join()
        until(lambda: camera.requests[-1].method == "TEARDOWN")
    assert "ingest" in [thread.name for thread in threading.enumerate()]


def test_a_camera_that_sends_no_packet_is_given_up(one_reader, monkeypatch):
    monkeypatch.setattr(own, "SILENT_S", 0.3)
    silent = ScriptedCamera(plays(Codec.H264, [b"$\x01\x00\x02hi"]), stays=True)
    with silent, pytest.raises(StreamStalled, match=r"connected, but no packet for 0\.3 s"):
        pulled(OwnOpener(silent.url, one_reader, CLOCK))


def endless(data: bytes) -> Iterable[bytes]:
    while True:
        yield data


def says(*parts: bytes):
    return lambda _: parts


NO_LENGTH = b"RTSP/1.0 200 OK\r\nContent-Length: 99999999\r\n\r\n"


@pytest.mark.parametrize(
    "camera",
    [
        says(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        says(NO_LENGTH),
        lambda _: endless(b"X-Endless: header\r\n"),
        lambda _: endless(b"$\x00\xff\xff" + bytes(65_535)),
        says(b"\x00" * 100_000),
    ],
    ids=["another protocol", "a length", "a head without end", "frames, no answer", "nonsense"],
)
def test_a_server_that_talks_nonsense_is_a_clear_error_and_costs_no_other(one_reader, camera):
    units = access_units(Codec.H264, 25, 25)
    good = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    with ScriptedCamera(camera) as hostile, ScriptedCamera(plays(Codec.H264, good)) as other:
        with pytest.raises(RtspError):
            OwnOpener(hostile.url, one_reader, CLOCK).open()
        assert len(pulled(OwnOpener(other.url, one_reader, CLOCK))) == 25


@pytest.mark.parametrize(
    "sent",
    [
        lambda: endless(bytes(65_536)),
        lambda: endless(b"$\x00\xff\xff\x80\x60" + bytes(10) + b"\x5c\x01" + bytes(65_521)),
    ],
    ids=["nonsense without end", "a picture without end"],
)
def test_a_camera_that_plays_nonsense_ends_its_own_line_alone(one_reader, sent):
    units = access_units(Codec.H264, 25, 25)
    good = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    with (
        ScriptedCamera(plays(Codec.H264, sent())) as hostile,
        ScriptedCamera(plays(Codec.H264, good)) as other,
    ):
        failed: list[Exception] = []

        def pull() -> None:
            try:
                pulled(OwnOpener(hostile.url, one_reader, CLOCK))
            except StreamError as error:
                failed.append(error)

        pulling = threading.Thread(target=pull)
        pulling.start()
        assert len(pulled(OwnOpener(other.url, one_reader, CLOCK))) == 25
        pulling.join()
    assert [type(error) for error in failed] == [RtspError]


def test_a_camera_that_drips_its_answer_is_not_waited_for(one_reader, monkeypatch):
    monkeypatch.setattr(own, "OPEN_S", 0.3)

    def drip(_: Message) -> Iterator[bytes]:
        for each in b"RTSP/1.0 200 OK\r\n" * 1000:
            threading.Event().wait(0.02)
            yield bytes((each,))

    with ScriptedCamera(drip) as camera, pytest.raises(StreamStalled):
        OwnOpener(camera.url, one_reader, CLOCK).open()


def answers(status: str):
    def camera(message: Message) -> Iterator[bytes]:
        if message.method == "SETUP":
            yield reply(message, status)
        else:
            yield from plays(Codec.H264, [])(message)

    return camera


def test_a_camera_that_sends_by_udp_only_is_for_ffmpeg(one_reader):
    camera = ScriptedCamera(answers("461 Unsupported Transport"))
    with camera, pytest.raises(StreamUnsuited, match="461"):
        OwnOpener(camera.url, one_reader, CLOCK).open()


def test_a_camera_that_closes_before_it_plays_is_an_error(one_reader):
    def camera(message: Message) -> Iterator[bytes]:
        if message.method == "DESCRIBE":
            raise OSError
        yield reply(message)

    with ScriptedCamera(camera) as closing, pytest.raises(StreamError):
        OwnOpener(closing.url, one_reader, CLOCK).open()


def test_a_path_that_is_not_there_is_missing(one_reader):
    with ScriptedCamera(answers("404 Not Found")) as camera, pytest.raises(StreamMissing):
        OwnOpener(camera.url, one_reader, CLOCK).open()


def test_frames_that_come_before_the_answer_are_not_lost(one_reader):
    units = access_units(Codec.H264, 25, 25)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])

    def early(message: Message) -> Iterator[bytes]:
        if message.method == "PLAY":
            yield from sent[:5]
            yield reply(message)
            yield from sent[5:]
        else:
            yield from plays(Codec.H264, [])(message)

    with ScriptedCamera(early) as camera:
        assert len(pulled(OwnOpener(camera.url, one_reader, CLOCK))) == 25


def test_of_a_camera_with_sound_only_the_video_is_asked_for(one_reader):
    with ScriptedCamera(plays(Codec.H265, [])) as camera:
        source = OwnOpener(camera.url, one_reader, CLOCK).open()
        assert (source.codec, source.extradata) == (Codec.H265, b"")
        source.close()
        source.close()
        asked = [each.method for each in camera.requests]
    assert b"m=audio" in description(Codec.H265)
    assert asked[:4] == ["OPTIONS", "DESCRIBE", "SETUP", "PLAY"]
    assert asked.count("SETUP") == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    file = tmp_path_factory.mktemp("tls") / "camera.pem"
    made = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -out {file}.crt"
    line = ["openssl", *made.split(), "-days", "2", "-subj", "/CN=camera", "-keyout", file]
    subprocess.run(line, check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + Path(f"{file}.crt").read_bytes())
    return file


def test_what_a_camera_sends_badly_is_counted_over_all_its_connections(one_reader):
    units = access_units(Codec.H264, 20, 10)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units], most_bytes=100)
    strays = b"remains"
    badly = [*sent[:3], strays, *sent[3:9], *sent[10:]]
    with ScriptedCamera(plays(Codec.H264, badly)) as camera:
        opener = OwnOpener(camera.url, one_reader, CLOCK)
        assert opener.flaws == Flaws()
        pulled(opener)
        first = opener.flaws
        pulled(opener)
    assert first.lost >= 1
    assert first.stray == len(strays)
    assert opener.flaws == first + first


def talkative(camera: Camera) -> Camera:
    """Return the camera with a diary of 20 KB in the head of its first answer."""
    diary = "".join(f"X-Diary-{day}: {'nothing happened. ' * 4}\r\n" for day in range(250))

    def talks(message: Message) -> Iterable[bytes]:
        first, *rest = camera(message)
        if message.method == "OPTIONS":
            line, end, others = first.partition(b"\r\n")
            first = line + end + diary.encode() + others
        yield first
        yield from rest

    return talks


def test_a_camera_that_only_ffmpeg_understands_is_read_by_ffmpeg_at_the_second_try(one_reader):
    units = access_units(Codec.H264, 100, 25)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    with ScriptedCamera(talkative(plays(Codec.H264, sent))) as server:
        gate = CameraSection(
            id="gate", name="村口", grid_code="533102105203001", main_url=server.url
        )
        opener = ChosenOpener.of_camera(gate, StreamName.MAIN, one_reader, CLOCK)
        with pytest.raises(RtspError, match="a message head of more than"):
            pulled(opener)
        assert not opener.is_ffmpeg
        assert len(pulled(opener)) >= 98
    assert opener.is_ffmpeg


def test_a_camera_that_signed_its_own_certificate_is_read(one_reader, certificate):
    units = access_units(Codec.H264, 50, 25, width=640, height=480)
    sent = stream(Codec.H264, [(data, pts * FRAME_90K) for data, pts, *_ in units])
    with ScriptedCamera(plays(Codec.H264, sent), certificate=certificate) as camera:
        assert camera.url.startswith("rtsps:")
        assert len(pulled(OwnOpener(camera.url, one_reader, CLOCK))) == 50


def test_a_camera_that_speaks_no_tls_is_an_error(one_reader):
    with ScriptedCamera(plays(Codec.H264, [])) as camera, pytest.raises(StreamError):
        OwnOpener(camera.url.replace("rtsp:", "rtsps:"), one_reader, CLOCK).open()


@pytest.mark.skipif(stepped_clock.library() is None, reason="needs libfaketime")
def test_how_far_a_cameras_clock_is_off_is_known_while_it_plays(tmp_path, one_reader):
    if not gstreamer_is_here():
        pytest.skip("no gst-rtsp-server here")
    clip = make_clip(tmp_path / "cam.h264", frames=50)
    wrong = SteppedClock(CLOCK, tmp_path / "off")
    wrong.step(timedelta(seconds=-754))
    given = wrong.environment(stepped_clock.library())
    variables = {key: given[key] for key in given if key.startswith(("FAKETIME", "LD_PRELOAD"))}
    with TestCamera({"/cam": (clip, 25)}, kind="gst", variables=variables) as camera:
        opener = OwnOpener(camera.url("/cam"), one_reader, CLOCK)
        pull = threading.Thread(target=pulled, args=(opener, 1000))
        pull.start()
        until(lambda: opener.clock_offset(1) is not None, 20)
        offset = opener.clock_offset(1)
        assert opener.clock_offset(5) is None
    pull.join()
    assert offset is not None
    assert abs(offset + timedelta(seconds=754)) < timedelta(seconds=2)

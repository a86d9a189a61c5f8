"""Pulling from a real RTSP server."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Self

import pytest
from pydantic import SecretStr

from edge.errors import StreamError, StreamMissing, StreamRefused, StreamStalled
from edge.ingest.backoff import Backoff
from edge.ingest.fanout import Fanout
from edge.ingest.ffmpeg import FfmpegOpener
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.source import Opener
from edge.ingest.worker import LOST_AFTER_S, StreamWorker
from edge.media.sample import Codec, GapReason, Packet, RunEnded, Sample, StreamItem
from edge.media.timeline import Timeline
from edge.ports import StreamStatus
from protocol.clock import SystemClock
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.recordings import until
from tests.support.rtsp import TestCamera, make_clip

CLOCK = SystemClock()

#: How a stream is opened: URL, and the camera's user and password where it wants them.
Make = Callable[..., Opener]


@pytest.fixture(params=["own", "ffmpeg"])
def opener(request: pytest.FixtureRequest) -> Iterator[Make]:
    """Each of the readers: they keep the same promises."""
    reader = Reader(CLOCK)
    if request.param == "own":
        yield lambda url, *user: OwnOpener(url, reader, CLOCK, *user)
    else:
        yield lambda url, *user: FfmpegOpener(url, CLOCK, *user)
    reader.close()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "cam.h264", frames=50, gop=25)


@pytest.fixture
def camera(clip: Path) -> Iterator[TestCamera]:
    with TestCamera({"/cam": (clip, 25)}) as running:
        yield running


class Subscriber:
    def __init__(self) -> None:
        self.items: list[StreamItem] = []

    def offer(self, item: StreamItem) -> None:
        self.items.append(item)

    @property
    def samples(self) -> list[Sample]:
        return [item for item in self.items if isinstance(item, Sample)]


class States:
    def __init__(self) -> None:
        self.seen: list[tuple[float, StreamStatus]] = []

    def stream_changed(self, status: StreamStatus) -> None:
        self.seen.append((time.monotonic(), status))

    def when(self, state: StreamState, after: float) -> float | None:
        return next((at for at, each in self.seen if each.state is state and at > after), None)


@pytest.mark.parametrize("codec", [Codec.H264, Codec.H265])
def test_a_camera_gives_runs_that_begin_at_a_key_frame_with_even_steps(tmp_path, opener, codec):
    clip = make_clip(tmp_path / f"cam.{codec.value}", frames=50, gop=25)
    with TestCamera({"/cam": (clip, 25)}) as camera:
        source = opener(camera.url("/cam")).open()
        line = Timeline("gate", StreamName.MAIN, source.codec, source.extradata)
        samples: list[Sample] = []

        def take(packet: Packet) -> bool:
            samples.extend(item for item in line.feed(packet) if isinstance(item, Sample))
            return len(samples) < 40

        source.deliver(take)
        source.close()
        source.close()

    assert source.codec is codec
    assert samples[0].is_key
    assert {sample.run.run_id for sample in samples} == {samples[0].run.run_id}
    assert (samples[0].run.parameters.width, samples[0].run.parameters.height) == (320, 240)
    # The first distance after a server's start is not a frame's with every server.
    assert {sample.duration_90k for sample in samples[2:]} <= set(range(3590, 3611))


@pytest.mark.parametrize("auth", ["basic", "digest"])
def test_a_password_of_odd_characters_is_understood(clip, opener, auth):
    password = "p@ss:w/rd%41?#"
    with TestCamera({"/cam": (clip, 25)}, auth=auth, username="admin", password=password) as camera:
        source = opener(camera.url("/cam"), "admin", lambda: SecretStr(password)).open()
        packets: list[Packet] = []
        source.deliver(lambda packet: bool(packets.append(packet)))
        source.close()

    assert packets[0].is_key


@pytest.mark.parametrize("given", [None, "wrong-secret"])
def test_a_wrong_password_is_refused_and_said_nowhere(clip, opener, capfd, caplog, given):
    with TestCamera({"/cam": (clip, 25)}, auth="digest", username="admin", password="x") as camera:
        user = ("admin", lambda: SecretStr(given)) if given else ()
        with pytest.raises(StreamRefused) as refused:
            opener(camera.url("/cam"), *user).open()

    assert "401" in str(refused.value)
    said = str(refused.value) + "".join(capfd.readouterr()) + caplog.text
    assert "wrong-secret" not in said
    assert refused.value.__cause__ is None


def test_a_path_that_is_not_there_is_missing_and_may_come(camera, opener):
    with pytest.raises(StreamMissing):
        opener(camera.url("/nothing")).open()


def test_a_port_where_nobody_listens_is_an_error_at_once(camera, opener):
    url = camera.url("/cam")
    camera.kill()

    with pytest.raises(StreamError) as error:
        opener(url).open()
    assert type(error.value) is StreamError


def test_a_camera_that_accepts_and_stays_silent_is_given_up(camera, opener):
    camera.freeze()
    try:
        with pytest.raises(StreamStalled):
            opener(camera.url("/cam")).open()
    finally:
        camera.thaw()


class Pull:
    """A worker on a real camera, closed at the end."""

    def __init__(self, opener: Opener) -> None:
        self.subscriber = Subscriber()
        self.states = States()
        self.worker = StreamWorker(
            "gate",
            StreamName.MAIN,
            opener,
            Fanout("gate/main", self.subscriber),
            [self.states],
            CLOCK,
            Backoff(),
        )

    def __enter__(self) -> Self:
        self.worker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.worker.close()


def test_a_camera_that_is_killed_is_lost_after_six_seconds_and_comes_back_by_itself(camera, opener):
    with Pull(opener(camera.url("/cam"))) as pull:
        until(lambda: len(pull.subscriber.samples) > 10)
        camera.kill()
        killed = time.monotonic()
        until(lambda: pull.states.when(StreamState.LOST, killed), within_s=30)
        lost = pull.states.when(StreamState.LOST, killed)
        camera.start()
        until(lambda: pull.states.when(StreamState.LIVE, lost), within_s=30)
        until(lambda: len({sample.run.run_id for sample in pull.subscriber.samples}) == 2)

    assert lost - killed > LOST_AFTER_S - 0.5  # from the last packet on, not from the kill
    ends = [item.reason for item in pull.subscriber.items if isinstance(item, RunEnded)]
    assert ends == [GapReason.NETWORK, GapReason.BOX_OFF]


def test_a_camera_that_freezes_is_lost_and_comes_back_by_itself(camera, opener):
    with Pull(opener(camera.url("/cam"))) as pull:
        until(lambda: len(pull.subscriber.samples) > 10)
        camera.freeze()
        frozen = time.monotonic()
        try:
            until(lambda: pull.states.when(StreamState.LOST, frozen), within_s=30)
        finally:
            camera.thaw()
        thawed = time.monotonic()
        until(lambda: pull.states.when(StreamState.LIVE, thawed), within_s=30)

    ends = [item.reason for item in pull.subscriber.items if isinstance(item, RunEnded)]
    assert ends[0] is GapReason.CAMERA


def test_closing_a_worker_leaves_no_thread(camera, opener):
    pull = Pull(opener(camera.url("/cam")))
    pull.worker.start()
    until(lambda: pull.subscriber.samples)

    pull.worker.close()

    assert "ingest-gate-main" not in [thread.name for thread in threading.enumerate()]

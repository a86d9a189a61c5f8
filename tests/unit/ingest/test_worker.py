import random
import threading
import time
from collections.abc import Callable

import pytest

from edge.errors import StreamError, StreamMissing, StreamRefused, StreamStalled
from edge.ingest.backoff import Backoff
from edge.ingest.fanout import Fanout
from edge.ingest.source import PacketSource
from edge.ingest.worker import StreamWorker
from edge.media.sample import GapReason, Packet, RunEnded, Sample, StreamItem
from edge.ports import StreamStatus
from protocol.clock import FakeClock
from protocol.messages import StreamState
from protocol.relay import StreamName
from tests.support.packets import BEGAN, ScriptedSource, packets


class Collector:
    def __init__(self) -> None:
        self.items: list[StreamItem] = []

    def offer(self, item: StreamItem) -> None:
        self.items.append(item)


class States:
    def __init__(self) -> None:
        self.seen: list[StreamStatus] = []

    def stream_changed(self, status: StreamStatus) -> None:
        self.seen.append(status)


class ScriptedOpener:
    """Opens each source in turn or raises each error in turn; then blocks until released."""

    def __init__(self, *script: ScriptedSource | Exception) -> None:
        self._script = list(script)
        self._over = threading.Event()
        self.opened = 0
        self.watched: list[bool] = []
        self.before_each: Callable[[], object] = lambda: None

    def open(self, *, watched: bool = False) -> PacketSource:
        self.watched.append(watched)
        self.opened += 1
        self.before_each()
        if not self._script:
            self._over.wait(20)
            raise StreamError("the script is over")
        step = self._script.pop(0)
        if isinstance(step, Exception):
            raise step
        return step

    def release(self) -> None:
        self._over.set()


class NoWait(Backoff):
    """Waits a moment only, and remembers which wait it was asked for."""

    def __init__(self) -> None:
        super().__init__(random.Random(1))
        self.asked: list[str] = []

    def reset(self) -> None:
        self.asked.append("reset")

    def wait_s(self) -> float:
        self.asked.append("soon")
        return 0.0

    def refused_s(self) -> float:
        self.asked.append("refused")
        return 0.0

    def missing_s(self, since_s: float) -> float:
        self.asked.append(f"missing {since_s:g}")
        return 0.0


def until(condition: Callable[[], object], within_s: float = 10.0) -> None:
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline
        pause.wait(0.005)


class Bench:
    """A worker with everything around it scripted."""

    def __init__(self, *script: ScriptedSource | Exception, lost_after_s: float = 60.0) -> None:
        self.clock = FakeClock(BEGAN)
        self.opener = ScriptedOpener(*script)
        self.collector = Collector()
        self.states = States()
        self.backoff = NoWait()
        self.worker = StreamWorker(
            "gate",
            StreamName.MAIN,
            self.opener,
            Fanout("gate/main", self.collector),
            [self.states],
            self.clock,
            self.backoff,
            lost_after_s,
        )

    def play(self) -> None:
        """Run the script to its end."""
        steps = len(self.opener._script) + 1
        self.worker.start()
        until(lambda: self.opener.opened >= steps)
        self.finish()

    def finish(self) -> None:
        """Close while the opener still hangs, and let it go then."""
        self.worker.close(timeout_s=0)
        self.opener.release()
        until(lambda: not self.worker._thread.is_alive())

    @property
    def story(self) -> list[tuple[StreamState, str | None]]:
        return [(status.state, status.error) for status in self.states.seen]

    @property
    def reasons(self) -> list[GapReason]:
        return [item.reason for item in self.collector.items if isinstance(item, RunEnded)]


def test_packets_become_samples_and_the_end_of_the_stream_ends_the_run():
    source = ScriptedSource(packets(frames=10, gop=5))
    bench = Bench(source)

    bench.play()

    assert sum(isinstance(item, Sample) for item in bench.collector.items) == 10
    assert bench.reasons == [GapReason.NETWORK]
    assert bench.story == [
        (StreamState.LIVE, None),
        (StreamState.CONNECTING, "the camera closed the stream"),
    ]
    assert source.closed
    assert (bench.worker.packets, bench.worker.connects) == (10, 1)


def test_a_stream_is_live_at_its_first_packet_however_long_that_is_held_back():
    class Waiting(ScriptedSource):
        def packets(self):
            yield from self._script
            more.wait(20)

    more = threading.Event()
    bench = Bench(Waiting(packets(frames=3)))
    bench.worker.start()

    until(lambda: bench.worker.status.state is StreamState.LIVE)
    until(lambda: bench.worker.packets == 3)
    assert bench.collector.items == []
    more.set()
    until(lambda: bench.opener.opened == 2)
    bench.finish()

    assert sum(isinstance(item, Sample) for item in bench.collector.items) == 3


def test_what_is_held_back_is_handed_on_when_the_box_stops():
    class Interrupted(ScriptedSource):
        def packets(self):
            yield from self._script[:-1]
            bench.worker.stop()
            yield self._script[-1]

    bench = Bench(Interrupted(packets(frames=4)))
    bench.worker.start()
    until(lambda: not bench.worker._thread.is_alive())

    assert sum(isinstance(item, Sample) for item in bench.collector.items) == 3
    assert bench.reasons == [GapReason.BOX_OFF]


def test_each_connection_is_a_run_of_its_own():
    bench = Bench(ScriptedSource(packets(frames=3)), ScriptedSource(packets(frames=3)))

    bench.play()

    runs = [item.run.run_id for item in bench.collector.items if isinstance(item, Sample)]
    assert len(set(runs)) == 2
    assert bench.reasons == [GapReason.NETWORK, GapReason.NETWORK]


def test_a_camera_that_falls_silent_is_lost_and_the_gap_is_the_cameras():
    bench = Bench(ScriptedSource(packets(frames=3), StreamStalled("no packet")))

    bench.play()

    assert bench.reasons == [GapReason.CAMERA]
    assert bench.story == [(StreamState.LIVE, None), (StreamState.LOST, "no packet")]


def test_a_broken_connection_is_the_networks():
    bench = Bench(ScriptedSource(packets(frames=3), StreamError("reset by peer")))

    bench.play()

    assert bench.reasons == [GapReason.NETWORK]


def test_a_refusal_waits_the_long_wait_and_keeps_its_words():
    bench = Bench(StreamRefused("401"), StreamError("no route"), ScriptedSource(packets(frames=1)))

    bench.play()

    assert bench.backoff.asked[:2] == ["refused", "soon"]
    assert bench.story[:3] == [
        (StreamState.CONNECTING, "401"),
        (StreamState.CONNECTING, "no route"),
        (StreamState.LIVE, None),
    ]


def test_a_stream_that_is_not_there_waits_by_how_long_that_was_said_in_a_row():
    bench = Bench(
        StreamMissing("404"),
        StreamMissing("404"),
        StreamError("no route"),
        StreamMissing("404"),
        StreamMissing("404"),
    )
    bench.opener.before_each = lambda: bench.clock.advance(60)

    bench.play()

    assert bench.backoff.asked[:5] == ["missing 0", "missing 60", "soon", "missing 0", "missing 60"]


def test_a_stream_that_never_comes_is_lost_after_its_time():
    bench = Bench(StreamError("no route"), lost_after_s=0.05)

    bench.worker.start()
    until(lambda: bench.worker.status.state is StreamState.LOST)
    bench.finish()

    assert bench.story == [
        (StreamState.CONNECTING, "no route"),
        (StreamState.LOST, "no route"),
    ]
    assert bench.worker.status.last_packet_at is None


def test_a_stream_that_was_there_is_lost_its_time_after_the_last_packet():
    script = packets(frames=3)
    bench = Bench(ScriptedSource(script))
    # From then on: a machine that is slow to start the thread is not to lose the stream before.
    bench.opener.before_each = lambda: setattr(bench.worker, "_lost_after_s", 0.05)

    bench.worker.start()
    until(lambda: bench.worker.status.state is StreamState.LOST)
    bench.finish()

    assert [state for state, _ in bench.story] == [
        StreamState.LIVE,
        StreamState.CONNECTING,
        StreamState.LOST,
    ]
    assert bench.worker.status.last_packet_at == script[-1].received_utc


def test_a_lost_stream_that_comes_back_is_live_again():
    lost = ScriptedSource(packets(frames=1), StreamStalled("no packet"))
    bench = Bench(lost, StreamError("no route"), ScriptedSource(packets(frames=1)))

    bench.play()

    assert [state for state, _ in bench.story[:4]] == [
        StreamState.LIVE,
        StreamState.LOST,
        StreamState.LOST,  # the same state, other words
        StreamState.LIVE,
    ]
    assert bench.states.seen[1].since == bench.states.seen[2].since


def test_a_bug_in_the_source_costs_a_pause_and_no_more(caplog):
    bench = Bench(RuntimeError("a bug"), ScriptedSource(packets(frames=2)))

    bench.play()

    assert bench.story[0] == (StreamState.CONNECTING, "internal error: RuntimeError")
    (failed,) = [record for record in caplog.records if record.message == "stream.failed"]
    assert failed.exc_info is not None
    assert sum(isinstance(item, Sample) for item in bench.collector.items) == 2


def test_a_listener_that_raises_harms_nobody(caplog):
    class Broken:
        def stream_changed(self, status: StreamStatus) -> None:
            raise RuntimeError("a bug")

    bench = Bench(ScriptedSource(packets(frames=2)))
    bench.worker._listeners = (Broken(), bench.states)

    bench.play()

    assert bench.story[0] == (StreamState.LIVE, None)


def test_the_same_fault_is_one_line_in_the_log(caplog):
    bench = Bench(*(StreamError("no route") for _ in range(20)))

    bench.play()

    lines = [record for record in caplog.records if record.message == "stream.fault"]
    assert [record.error for record in lines][:1] == ["no route"]
    assert sum(record.error == "no route" for record in lines) == 1


def test_a_stream_that_comes_and_goes_or_fails_in_one_way_is_a_line_each(caplog):
    caplog.set_level("INFO")
    bench = Bench(
        *(ScriptedSource(packets(frames=1)) for _ in range(5)),
        *(RuntimeError("a bug") for _ in range(5)),
    )

    bench.play()

    said = [record.message for record in caplog.records if hasattr(record, "camera_id")]
    assert (said.count("stream.live"), said.count("stream.failed")) == (1, 1)


class Hanging(ScriptedSource):
    """Sends its script, then nothing on an open connection; once it is let go, one packet more."""

    def __init__(self, script: list[Packet]) -> None:
        super().__init__(script[:-1])
        self.sent = threading.Event()
        self.goes_on = threading.Event()
        self._last = script[-1]

    def packets(self):
        yield from self._script
        self.sent.set()
        self.goes_on.wait(20)
        yield self._last


def hang(bench: Bench, source: Hanging) -> None:
    """Let the time be over in which the worker hopes for the next packet."""
    assert source.sent.wait(10)
    bench.clock.advance(61)
    bench.worker._expire()


def test_a_camera_that_sends_nothing_on_an_open_connection_is_lost_and_called_anew():
    hanging = Hanging(packets(frames=10, gop=5))
    bench = Bench(hanging, ScriptedSource(packets(frames=3, late_s=61.0)))
    bench.worker.start()

    hang(bench, hanging)
    until(lambda: bench.opener.opened == 3)
    hanging.goes_on.set()
    until(lambda: hanging.closed)
    bench.finish()

    assert bench.story[:3] == [
        (StreamState.LIVE, None),
        (StreamState.LOST, "connected, but no packet for 60 s"),
        (StreamState.LIVE, None),
    ]
    assert bench.reasons == [GapReason.CAMERA, GapReason.NETWORK]
    # What the old connection sent late is nobody's.
    assert sum(isinstance(item, Sample) for item in bench.collector.items) == 9 + 3


def test_a_live_stream_is_judged_by_its_last_packet():
    hanging = Hanging(packets(frames=10, gop=5))
    bench = Bench(hanging)
    bench.worker.start()
    assert hanging.sent.wait(10)

    bench.clock.advance(60)
    bench.worker._last_packet_ns = bench.clock.monotonic_ns() - 1
    bench.worker._expire()
    state = bench.worker.status.state
    hanging.goes_on.set()
    until(lambda: bench.opener.opened == 2)
    bench.finish()

    assert state is StreamState.LIVE


def test_a_camera_that_hangs_again_and_again_costs_one_thread_and_comes_back_on_its_connection():
    first, second = Hanging(packets(frames=3)), Hanging(packets(frames=3, gop=1, late_s=61.0))
    bench = Bench(first, second)
    bench.worker.start()
    hang(bench, first)
    hang(bench, second)

    assert bench.worker.status.state is StreamState.LOST
    second.goes_on.set()
    until(lambda: bench.opener.opened == 3)
    first.goes_on.set()
    until(lambda: first.closed)
    bench.finish()

    # The second was not given up: its last packet is in a run of its own.
    assert bench.reasons == [GapReason.CAMERA, GapReason.CAMERA, GapReason.NETWORK]
    assert [state for state, _ in bench.story[:5]] == [
        StreamState.LIVE,
        StreamState.LOST,
        StreamState.LIVE,
        StreamState.LOST,
        StreamState.LIVE,
    ]


def test_a_connection_of_which_no_packet_ever_comes_is_given_up_too():
    class Silent(Hanging):
        def packets(self):
            self.sent.set()
            self.goes_on.wait(20)
            yield self._last

    silent = Silent(packets(frames=1))
    bench = Bench(silent, ScriptedSource(packets(frames=3, late_s=61.0)))
    bench.worker.start()
    hang(bench, silent)
    until(lambda: bench.opener.opened == 3)
    silent.goes_on.set()
    until(lambda: silent.closed)
    bench.finish()

    assert [state for state, _ in bench.story[:3]] == [
        StreamState.LOST,
        StreamState.LOST,  # other words
        StreamState.LIVE,
    ]
    assert bench.reasons == [GapReason.NETWORK]


def test_a_camera_that_hung_is_watched_until_it_has_run_well():
    class Long(ScriptedSource):
        def packets(self):
            yield from self._script
            bench.clock.advance(10)

    hanging = Hanging(packets(frames=3))
    short = ScriptedSource(packets(frames=3, late_s=61.0))
    bench = Bench(hanging, short, Long(packets(frames=3, late_s=61.0)))

    def let_the_left_one_end() -> None:
        if bench.worker._left is not None:
            hanging.goes_on.set()
            bench.worker._left.join(10)

    bench.opener.before_each = let_the_left_one_end
    bench.worker.start()
    hang(bench, hanging)
    until(lambda: bench.opener.opened == 4)
    bench.finish()

    assert bench.opener.watched == [False, True, True, False]


class Endless(ScriptedSource):
    """Sends the same group of pictures for ever, as fast as it is read."""

    def packets(self):
        while True:
            for packet in self._script:
                threading.Event().wait(0.002)
                yield packet


@pytest.mark.parametrize("starts", [True, False])
def test_closing_waits_ends_the_run_as_box_off_and_may_be_repeated(starts):
    bench = Bench(Endless(packets(frames=25)))
    if starts:
        bench.worker.start()
        until(lambda: bench.collector.items)

    bench.worker.close()
    bench.worker.close()

    assert not bench.worker._thread.is_alive()
    assert bench.reasons[-1:] == ([GapReason.BOX_OFF] if starts else [])


def test_closing_does_not_wait_for_a_stuck_connection_longer_than_told():
    bench = Bench()
    bench.worker.start()
    until(lambda: bench.opener.opened)

    bench.worker.close(timeout_s=0.05)

    assert bench.worker._thread.is_alive()
    bench.opener.release()
    until(lambda: not bench.worker._thread.is_alive())


def test_after_a_good_run_the_next_wait_is_a_short_one_again():
    class Long(ScriptedSource):
        def packets(self):
            yield from self._script
            bench.clock.advance(10)

    bench = Bench(Long(packets(frames=2)))

    bench.play()

    assert bench.backoff.asked[:2] == ["reset", "soon"]

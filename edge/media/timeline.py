"""From a camera's packets, as they come, to runs of samples with honest times. Pure.

::

    no run     -- key frame ----------------------------> run begins at media time 0
    in a run   -- dts goes back, or jumps ahead > 5 s --> RunEnded(timestamps), no run
               -- key frame, parameters changed --------> RunEnded(parameters), run begins
               -- key frame, clocks drifted > 2 s ------> RunEnded(timestamps), run begins
               -- key frame, wall clock set by > 2 s ---> RunEnded(timestamps), run begins
               -- finish(reason) -----------------------> RunEnded(reason), no run

Invariants: docs/design/time.md.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from edge.errors import MediaError
from edge.media.parameters import ParameterCollector
from edge.media.sample import (
    TICKS_PER_S,
    Codec,
    CodecParameters,
    GapReason,
    Packet,
    Run,
    RunEnded,
    Sample,
    StreamItem,
)
from protocol.ids import uuid7
from protocol.relay import StreamName

#: A longer step ahead is the camera's clock being set, not a pause: cameras send every second.
MAX_STEP_90K = 5 * TICKS_PER_S

#: How far media time and the monotonic clock may part within a run (time I5).
MAX_DRIFT_90K = 2 * TICKS_PER_S

#: How far the wall clock may be set within a run, all its steps together (time I3).
MAX_WALL_STEP = timedelta(seconds=2)

#: Lateness is judged by the least late packet of so long: what a stalled network held back arrives
#: late without any clock being wrong, and catches up within seconds.
LATENESS_WINDOW_NS = 10_000_000_000

#: What a run's first sample is given before a distance is known: 25 frames a second.
FIRST_DURATION_90K = TICKS_PER_S // 25

_NS_PER_S = 1_000_000_000


def new_run_id(now: datetime) -> str:
    """Return a run's id: a UUIDv7 in hex."""
    return uuid7(now).hex


class Timeline:
    """The runs of one stream.

    Feed it every packet in the order of arrival and hand on what it returns. ``dropped`` counts the
    packets it could not use: before the first key frame of a run, damaged, or without a picture.
    ``repaired`` counts the samples whose time it had to make up.
    """

    def __init__(
        self,
        camera_id: str,
        stream: StreamName,
        codec: Codec,
        extradata: bytes = b"",
        run_id: Callable[[datetime], str] = new_run_id,
    ) -> None:
        self._camera_id = camera_id
        self._stream = stream
        self._run_id = run_id
        self._collector = _collector(codec, extradata)
        self._clock = _RawClock()
        self._run: Run | None = None
        self._base_90k = 0
        self._last_dts_90k = 0
        self._drift = _Drift()
        self.dropped = 0
        self.repaired = 0

    def feed(self, packet: Packet) -> list[StreamItem]:
        """Return what the packet gives: at most the end of a run and one sample."""
        try:
            unit = self._collector.absorb_units(packet.units)
        except MediaError:
            self.dropped += 1
            return []
        if not unit.data:
            self.dropped += 1
            return []
        raw_90k, made_up = self._clock.read(packet)
        is_key = unit.is_key or packet.is_key
        ended = self._end_if_broken(packet, raw_90k, is_key)
        self._clock.advance(raw_90k, made_up)
        if self._run is None and not self._begin(packet, raw_90k, is_key):
            self.dropped += 1
            return ended
        self.repaired += made_up
        return [*ended, self._sample(packet, raw_90k, is_key, unit.data)]

    def finish(self, reason: GapReason, at_utc: datetime) -> list[StreamItem]:
        """End the run that is open, if any: the stream is over."""
        run, self._run = self._run, None
        self._clock = _RawClock()
        return [] if run is None else [RunEnded(run, reason, at_utc)]

    def _end_if_broken(self, packet: Packet, raw_90k: int, is_key: bool) -> list[StreamItem]:
        """End the run where this packet can't belong to it; a run it follows on may begin."""
        run = self._run
        if run is None:
            return []
        if not self._clock.follows(raw_90k):
            self._run = None
            return [RunEnded(run, GapReason.TIMESTAMPS, packet.received_utc)]
        if not is_key:
            return []
        # Before the parameters: a run that goes on with others would go on in the wrong time.
        if self._drift.is_too_far or _wall_was_set(run, packet):
            self._run = None
            return [RunEnded(run, GapReason.TIMESTAMPS, packet.received_utc)]
        if self._collector.parameters != run.parameters:
            self._continue(run, raw_90k)
            return [RunEnded(run, GapReason.PARAMETERS, packet.received_utc)]
        return []

    def _begin(self, packet: Packet, raw_90k: int, is_key: bool) -> bool:
        parameters = self._collector.parameters
        if not is_key or parameters is None:
            return False
        self._open(packet.received_utc, packet.received_mono_ns, parameters, raw_90k)
        return True

    def _continue(self, run: Run, raw_90k: int) -> None:
        """Begin a run exactly where the last one ends: only its parameters differ (time I6)."""
        parameters = self._collector.parameters
        assert parameters is not None
        at_90k = max(raw_90k - self._base_90k, self._last_dts_90k + 1)
        started_mono_ns = run.started_mono_ns + at_90k * _NS_PER_S // TICKS_PER_S
        self._open(run.utc_at(at_90k), started_mono_ns, parameters, raw_90k)

    def _open(self, utc: datetime, mono_ns: int, parameters: CodecParameters, raw_90k: int) -> None:
        self._run = Run(self._run_id(utc), self._camera_id, self._stream, utc, mono_ns, parameters)
        self._base_90k = raw_90k
        self._last_dts_90k = -1
        self._drift = _Drift()

    def _sample(self, packet: Packet, raw_90k: int, is_key: bool, data: bytes) -> Sample:
        assert self._run is not None
        first = self._last_dts_90k < 0
        dts_90k = max(raw_90k - self._base_90k, self._last_dts_90k + 1)
        duration_90k = FIRST_DURATION_90K if first else dts_90k - self._last_dts_90k
        self._last_dts_90k = dts_90k
        self._drift.note(dts_90k, packet.received_mono_ns - self._run.started_mono_ns)
        pts_90k = dts_90k if packet.pts_90k is None else packet.pts_90k - self._base_90k
        if not dts_90k <= pts_90k <= dts_90k + MAX_STEP_90K:
            pts_90k = dts_90k
        return Sample(
            self._run,
            dts_90k,
            pts_90k,
            duration_90k,
            is_key,
            data,
            packet.received_mono_ns,
        )


class _RawClock:
    """The camera's own decoding times; missing ones are made up from what came before.

    A time made up may lie up to a second ahead of the next true one: that is no jump back, as long
    as the true one is later than the last true one.
    """

    def __init__(self) -> None:
        self._last_90k: int | None = None
        self._last_true_90k: int | None = None
        self._step_90k = FIRST_DURATION_90K

    def read(self, packet: Packet) -> tuple[int, bool]:
        """Return the packet's decoding time and whether it is made up."""
        if packet.dts_90k is not None:
            return packet.dts_90k, False
        if self._last_90k is None:
            return packet.pts_90k or 0, True
        guess_90k = self._last_90k + self._step_90k
        if packet.pts_90k is not None and packet.pts_90k > self._last_90k:
            # Nothing is shown before it is decoded, so the truth is not after pts.
            guess_90k = min(guess_90k, packet.pts_90k)
        return guess_90k, True

    def follows(self, raw_90k: int) -> bool:
        """Say whether a time can come next in the same run.

        The same time again is let pass: an access unit that the camera sent in two parts.
        """
        if self._last_90k is None:
            return True
        step_90k = raw_90k - self._last_90k
        if step_90k < 0 and self._last_true_90k != self._last_90k:
            floor_90k = self._last_90k - TICKS_PER_S
            if self._last_true_90k is not None:
                floor_90k = max(floor_90k, self._last_true_90k)
            return raw_90k > floor_90k
        return 0 <= step_90k <= MAX_STEP_90K

    def advance(self, raw_90k: int, made_up: bool) -> None:
        """Take a time as the last one."""
        if self._last_90k is not None and 0 < raw_90k - self._last_90k <= MAX_STEP_90K:
            self._step_90k = raw_90k - self._last_90k
        self._last_90k = raw_90k
        if not made_up:
            self._last_true_90k = raw_90k


class _Drift:
    """How far media time and the monotonic clock have parted in a run."""

    def __init__(self) -> None:
        self.is_too_far = False
        self._least_90k: int | None = None
        self._window_start_ns = 0

    def note(self, dts_90k: int, elapsed_ns: int) -> None:
        """Take one sample's media time and arrival, both since the run's start."""
        late_90k = elapsed_ns * TICKS_PER_S // _NS_PER_S - dts_90k
        if late_90k < -MAX_DRIFT_90K:
            self.is_too_far = True
        if self._least_90k is None:
            self._window_start_ns, self._least_90k = elapsed_ns, late_90k
        self._least_90k = min(self._least_90k, late_90k)
        if elapsed_ns - self._window_start_ns >= LATENESS_WINDOW_NS:
            self.is_too_far = self.is_too_far or self._least_90k > MAX_DRIFT_90K
            self._least_90k = None


def _wall_was_set(run: Run, packet: Packet) -> bool:
    """Say whether the wall clock has moved against the monotonic one since the run began."""
    elapsed = timedelta(microseconds=(packet.received_mono_ns - run.started_mono_ns) // 1000)
    return abs(packet.received_utc - run.started_utc - elapsed) > MAX_WALL_STEP


def _collector(codec: Codec, extradata: bytes) -> ParameterCollector:
    try:
        return ParameterCollector(codec, extradata)
    except MediaError:
        # Some cameras garble the sets in their SDP; the ones in-band are what counts.
        return ParameterCollector(codec)

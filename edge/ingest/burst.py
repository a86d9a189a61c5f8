"""Honest arrival times for a stream's first second. Pure.

While it probes, FFmpeg's demuxer reads up to a second of packets and then hands them out at once,
and a box that is just starting is late for everything: their arrival is later than the truth, and
with it the wall time of the whole run that begins there. The least late of them says when all of
them came. What is read before the order of pictures is known also bears no decoding time.
"""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

from edge.media.sample import TICKS_PER_S, Packet

#: For so long after the first packet the stream is held back and judged.
HOLD_NS = 1_000_000_000

#: No more than this is held back, if the camera itself sends a burst: 8 s at 25 frames a second.
MAX_HELD = 200

#: Times of packets further apart than this don't tell when the earlier one came.
_MAX_STEP_90K = 2 * TICKS_PER_S
_NS_PER_S = 1_000_000_000


class OpeningBurst:
    """Holds the first packets back for HOLD_NS, then lets all go, dated by the least late one.

    Decoding times that are missing at the very start are filled in at the stream's own rhythm.
    """

    def __init__(self) -> None:
        self._held: list[Packet] = []
        self._over = False

    def take(self, packet: Packet) -> Iterator[Packet]:
        """Yield what may go on, in order."""
        if self._over:
            yield packet
            return
        self._held.append(packet)
        held_ns = packet.received_mono_ns - self._held[0].received_mono_ns
        if held_ns >= HOLD_NS or len(self._held) >= MAX_HELD:
            yield from self.rest()

    def rest(self) -> Iterator[Packet]:
        """Yield what is held: it has been held long enough, or nothing more comes."""
        self._over = True
        held, self._held = self._held, []
        for stretch in _stretches(_filled(held)):
            yield from _dated(stretch)


def _filled(packets: Sequence[Packet]) -> Sequence[Packet]:
    """Return the packets, those before the first decoding time with one counted back from it."""
    first = next((at for at, packet in enumerate(packets) if packet.dts_90k is not None), 0)
    known_90k = [packet.dts_90k for packet in packets if packet.dts_90k is not None]
    steps_90k = [later - earlier for earlier, later in pairwise(known_90k)]
    if first == 0 or not steps_90k or not (step := statistics.median_low(steps_90k)) > 0:
        return packets
    times_90k = [known_90k[0] - (first - at) * step for at in range(first)]
    return [
        *(_with_dts(packet, dts) for packet, dts in zip(packets, times_90k, strict=False)),
        *packets[first:],
    ]


def _with_dts(packet: Packet, dts_90k: int) -> Packet:
    """Return the packet with a decoding time; nothing is shown before it is decoded."""
    shown_90k = dts_90k if packet.pts_90k is None else packet.pts_90k
    return replace(packet, dts_90k=min(dts_90k, shown_90k))


def _stretches(packets: Sequence[Packet]) -> Iterator[list[Packet]]:
    """Yield the packets in stretches of one clock: it neither goes back nor jumps in any."""
    stretch: list[Packet] = []
    last_90k: int | None = None
    for packet in packets:
        if packet.dts_90k is not None:
            if last_90k is not None and not 0 <= packet.dts_90k - last_90k <= _MAX_STEP_90K:
                yield stretch
                stretch = []
            last_90k = packet.dts_90k
        stretch.append(packet)
    if stretch:
        yield stretch


def _dated(stretch: Sequence[Packet]) -> Iterator[Packet]:
    """Yield the packets with the arrival that the least late one says; never a later one."""
    starts_ns = [
        packet.received_mono_ns - _ns(packet.dts_90k)
        for packet in stretch
        if packet.dts_90k is not None
    ]
    for packet in stretch:
        if packet.dts_90k is None:
            yield packet
            continue
        late_ns = packet.received_mono_ns - _ns(packet.dts_90k) - min(starts_ns)
        yield replace(
            packet,
            received_mono_ns=packet.received_mono_ns - late_ns,
            received_utc=packet.received_utc - timedelta(microseconds=late_ns // 1000),
        )


def _ns(ticks_90k: int) -> int:
    return ticks_90k * _NS_PER_S // TICKS_PER_S

"""Honest arrival times for what a demuxer had read before we could ask. Pure.

While it probes, the demuxer reads up to a second of packets and then hands them out at once: their
arrival is up to a second too late, and with it the wall time of the whole run that begins there.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from edge.media.sample import TICKS_PER_S, Packet

#: A packet that had to be waited for this long had not been there already. Cameras send a frame
#: every 20 to 200 ms; handing out one that is there takes microseconds.
WAITED_NS = 15_000_000

#: No more than this is held back, if the camera itself sends a burst: 4 s at 25 frames a second.
MAX_HELD = 100

#: Times of packets further apart than this don't tell when the earlier one came.
_MAX_LEAD_90K = 5 * TICKS_PER_S
_NS_PER_S = 1_000_000_000


class OpeningBurst:
    """Holds the first packets back until one was waited for, and dates them from that one."""

    def __init__(self) -> None:
        self._held: list[Packet] = []
        self._over = False

    def take(self, packet: Packet, waited_ns: int) -> Iterator[Packet]:
        """Yield what may go on, in order; ``waited_ns`` is how long the packet let itself wait."""
        if self._over:
            yield packet
            return
        self._held.append(packet)
        # The very first one is waited for as part of opening.
        if (waited_ns >= WAITED_NS and len(self._held) > 1) or len(self._held) >= MAX_HELD:
            yield from self._dated(packet)

    def rest(self) -> Iterator[Packet]:
        """Yield what is still held: nothing more comes."""
        if self._held:
            yield from self._dated(self._held[-1])

    def _dated(self, live: Packet) -> Iterator[Packet]:
        self._over = True
        held, self._held = self._held, []
        for packet in held:
            yield _dated(packet, live)


def _dated(packet: Packet, live: Packet) -> Packet:
    """Return the packet with the arrival that its media time says, counted back from ``live``."""
    if packet.dts_90k is None or live.dts_90k is None:
        return packet
    lead_90k = live.dts_90k - packet.dts_90k
    if not 0 < lead_90k <= _MAX_LEAD_90K:
        return packet
    return replace(
        packet,
        received_mono_ns=live.received_mono_ns - lead_90k * _NS_PER_S // TICKS_PER_S,
        received_utc=live.received_utc - timedelta(seconds=lead_90k / TICKS_PER_S),
    )

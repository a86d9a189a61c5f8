"""The errand process: it looks for cameras, or examines one, says what it found, and ends.

Started by edge.enrolment.runner as ``python -m edge.enrolment.child --parent N``; the order comes
on standard input. What speaks to cameras is loaded here and never in the box's main process
(cameras I7), and a camera that crashes a parser crashes this one.
"""

import argparse
import base64
import resource
import sys

import av

from edge.cameras import discovery
from edge.enrolment.errand import (
    FoundCamera,
    PictureSaid,
    Saying,
    Searching,
    SearchSaid,
    StepSaid,
    line,
    order_of,
)
from edge.enrolment.probe import Probe
from edge.modest import come_last
from edge.orphan import die_with_parent
from protocol.clock import SystemClock

_NICE = 10  # behind recording, live video and the detector
_MEMORY_BYTES = 1024 * 1024 * 1024


def search(order: Searching) -> SearchSaid:
    """Return who answers."""
    asked = order.interfaces or discovery.interfaces()
    found = discovery.discover(asked, SystemClock(), seconds=order.seconds)
    return SearchSaid(
        found=tuple(
            FoundCamera(
                address=one.doors[0].url, host=one.sender, name=one.name, hardware=one.hardware
            )
            for one in found.sightings
            if one.doors
        ),
        unreadable=found.malformed + found.dropped + sum(not one.doors for one in found.sightings),
    )


def _say(saying: Saying) -> None:
    sys.stdout.write(line(saying) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Carry out the order on standard input."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    die_with_parent(parser.parse_args().parent)
    come_last(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    av.logging.set_level(av.logging.PANIC)
    order = order_of(sys.stdin.buffer.read())
    if isinstance(order, Searching):
        _say(search(order))
        return
    probe = Probe(order, SystemClock(), lambda step: _say(StepSaid(step=step)))
    _say(probe.run())
    # Last: a key frame that crashes the decoder costs the picture alone.
    if (jpeg := probe.picture()) is not None:
        _say(PictureSaid(jpeg=base64.b64encode(jpeg).decode()))


if __name__ == "__main__":
    main()

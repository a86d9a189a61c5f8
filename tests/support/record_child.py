"""A process that records a camera until it is killed: ``python -m tests.support.record_child``.

Arguments: the box's folder and the camera's URL. Prints a line once the first picture is written.
"""

import sys
import threading
from pathlib import Path

from edge.ingest.fanout import Fanout
from edge.ingest.own import OwnOpener
from edge.ingest.reader import Reader
from edge.ingest.worker import StreamWorker
from edge.media.sample import Sample, StreamItem
from protocol.clock import SystemClock
from tests.support.recordings import MAIN, Archive


class Tell:
    """Prints the media time and arrival of each sample, so that a test knows what was received."""

    def offer(self, item: StreamItem) -> None:
        if isinstance(item, Sample):
            sys.stdout.write(f"{item.run.run_id} {item.dts_90k}\n")
            sys.stdout.flush()


def main() -> None:
    clock = SystemClock()
    archive = Archive(Path(sys.argv[1]), clock)
    archive.recover("gate")
    recorder = archive.recorder(segment_s=2.0)
    recorder.start()
    fanout = Fanout("gate/main", recorder, Tell())
    opener = OwnOpener(sys.argv[2], Reader(clock), clock)
    StreamWorker("gate", MAIN, opener, fanout, (), clock).start()
    threading.Event().wait()


if __name__ == "__main__":
    main()

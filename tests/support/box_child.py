"""A box in a process of its own, to be killed: ``python -m tests.support.box_child FOLDER PORT``.

It reports an alert every few milliseconds and sends, until it is killed. With a third argument that
is its keep-alive in seconds.
"""

import sys
import threading
from dataclasses import replace
from pathlib import Path

from tests.support.line import QUICK, SendingBox


class Address:
    """Where a broker is that another process runs."""

    host = "127.0.0.1"

    def __init__(self, port: int) -> None:
        self.port = port


if __name__ == "__main__":
    timing = replace(QUICK, keepalive_s=int(sys.argv[3])) if len(sys.argv) > 3 else QUICK
    box = SendingBox(Path(sys.argv[1]), Address(int(sys.argv[2])), timing=timing)
    box.sender.start()
    pause = threading.Event()
    while True:
        box.report()
        pause.wait(0.003)

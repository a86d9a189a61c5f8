"""A consumer in a process of its own: ``python -m tests.support.consumer_child DATABASE PORT``.

With a third argument it dies, as by ``kill -9``, right after the commit that reaches so many
events: before anything is acknowledged or receipted.
"""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from central.ingest.consumer import Consumer, ConsumerSettings
from central.ports import Committed, Received
from protocol.clock import SystemClock
from tests.support.box_child import Address
from tests.support.desk_box import BOX
from tests.support.inbox import FakeInbox
from tests.support.line import uplink_settings


class MortalInbox(FakeInbox):
    """Kills its process after a commit."""

    def __init__(self, path: Path, dies_at: int) -> None:
        super().__init__(path)
        self._dies_at = dies_at

    def commit(self, batch: Sequence[Received]) -> Sequence[Committed]:
        committed = super().commit(batch)
        if self._dies_at and len(self.sequences(BOX)) >= self._dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        return committed


if __name__ == "__main__":
    inbox = MortalInbox(Path(sys.argv[1]), int(sys.argv[3]) if len(sys.argv) > 3 else 0)
    settings = ConsumerSettings(
        uplink=uplink_settings(Address(int(sys.argv[2]))), reconnect_first_s=0.05
    )
    Consumer(settings, inbox, SystemClock()).run()

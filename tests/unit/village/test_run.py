import errno
import sys

import pytest

from village.run import Progress, _say


class GoneTerminal:
    """Standard output whose terminal has gone, or whose disk is full."""

    def __init__(self, *, is_terminal: bool) -> None:
        self._is_terminal = is_terminal

    def isatty(self) -> bool:
        return self._is_terminal

    def write(self, _text: str) -> int:
        raise OSError(errno.EIO, "Input/output error")

    def flush(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("is_terminal", [True, False])
def test_output_that_nobody_takes_stops_nothing(monkeypatch, caplog, is_terminal):
    monkeypatch.setattr(sys, "stdout", GoneTerminal(is_terminal=is_terminal))
    _say("edge: signal SIGKILL")
    Progress("making pictures").show(1.0)
    assert [record.message for record in caplog.records] == ["village.not_said"] * 2

"""The programs that the box starts beside itself: how they find our packages, and their pipes."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]


def environment(**more: str) -> dict[str, str]:
    """Return ours, so that a child finds our packages wherever we were started; ``more`` counts."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **more}


def spawn(command: Sequence[str], stderr: int | None = None) -> subprocess.Popen[bytes]:
    """Start a program that is told by its input what to do and answers by its output.

    Ctrl-C is the box's to handle, not its. The caller owns the process. Raises OSError.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        env=environment(),
        start_new_session=True,
    )

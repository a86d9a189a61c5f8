"""``python leash.py PARENT COMMAND…``: become COMMAND, and end when PARENT does.

A launcher that is killed can't stop its children; the kernel does it for them. It holds on to the
thread that started the process: start children from one that lives as long as the launcher.
Uses the standard library alone and no project module: it must start in no time.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


def main() -> None:
    """Put on the leash, then become the command."""
    parent, *command = sys.argv[1:]
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != int(parent):
        sys.exit("the launcher is gone")  # it died before the leash was on
    try:
        os.execvp(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()

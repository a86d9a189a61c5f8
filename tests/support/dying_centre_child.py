"""A command of the centre as its own process, which kills itself after a number of puts to S3."""

import os
import signal
import sys

from central.__main__ import main
from central.evidence.s3 import S3Storage

_put = S3Storage.put
_left = [int(sys.argv[1])]


def put_and_die(*given):
    """Put, and after the last that is allowed die before the row is written."""
    _put(*given)
    _left[0] -= 1
    if _left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)


S3Storage.put = put_and_die
sys.exit(main(sys.argv[2:]))

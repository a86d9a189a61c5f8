"""``python -m edge.cameras.errand``: one camera's clock set right, for the box's main process.

It is a process of its own so that the box's loads nothing of ONVIF (cameras I7), and that whatever
a camera answers costs the command alone. What it needs comes by standard input, as the password
must be on no command line; its answer is one line of JSON.
"""

import argparse
import json
import logging
import sys

from edge.cameras.camera import Camera
from edge.cameras.clock_care import set_right
from edge.cameras.door import Door
from edge.errors import CameraError
from edge.orphan import die_with_parent
from edge.rtsp.challenge import Credentials
from protocol.clock import SystemClock


def answer(question: str) -> str:
    """Return what became of it; ``question`` is address, and user and password or null of both.

    An answer has ``kind`` and ``said`` where the camera could not be asked, else ``outcome`` and
    the seconds that its clock was and is off.
    """
    asked = json.loads(question)
    clock = SystemClock()
    login = None
    if asked["username"] is not None:
        login = Credentials(asked["username"], asked["password"])
    try:
        care = set_right(Camera(Door.parse(asked["address"]), login, clock), clock)
    except CameraError as error:
        return json.dumps({"kind": error.kind.value, "said": str(error)})
    except ValueError as error:
        return json.dumps({"kind": "address", "said": str(error)})
    return json.dumps(
        {
            "outcome": care.outcome.value,
            "before_s": round(care.before.offset.total_seconds(), 1),
            "after_s": round(care.after.offset.total_seconds(), 1),
        }
    )


def main() -> None:
    """Answer the question on standard input; the process ends with its parent, ``--parent``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parent", type=int, required=True)
    die_with_parent(parser.parse_args().parent)
    logging.getLogger().addHandler(logging.NullHandler())  # the answer says it all
    sys.stdout.write(answer(sys.stdin.read()) + "\n")


if __name__ == "__main__":
    main()

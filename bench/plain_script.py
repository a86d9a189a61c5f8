"""The script that people write first: every picture decoded, some of them given to ultralytics.

``python -m bench.plain_script --fps 2 URL`` reads one camera's main stream with OpenCV, as it
comes, and looks for people in so many pictures a second; with ``--fire`` a second network looks for
fire in the same pictures. bench.detect measures the box beside it, one process a camera; it needs
the ultralytics package. Without weights of its own it has random ones: a network costs the same
whatever it has learned. Every look is a line on standard output.
"""

import argparse
import os
import sys

import cv2

PERSON = 0
FULL_FPS = 25.0


def main() -> None:
    """Look at one camera until it ends."""
    parser = argparse.ArgumentParser(prog="bench.plain_script", description=__doc__)
    parser.add_argument("url")
    parser.add_argument("--fps", type=float, default=2.0, help="pictures looked at a second")
    parser.add_argument("--weights", default="yolo11n.yaml", help="a model file of ultralytics")
    parser.add_argument("--fire", action="store_true", help="look for fire, too")
    given = parser.parse_args()
    os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", "rtsp_transport;tcp")
    from ultralytics import YOLO  # noqa: PLC0415 - seconds to load, and not always there

    model = YOLO(given.weights)
    fires = YOLO(given.weights) if given.fire else None
    capture = cv2.VideoCapture(given.url)
    step = round((capture.get(cv2.CAP_PROP_FPS) or FULL_FPS) / given.fps)
    number = 0
    while True:
        there, picture = capture.read()
        if not there:
            sys.exit(f"{given.url}: no more pictures")
        if number % step == 0:
            found = model.predict(picture, classes=[PERSON], verbose=False)[0]
            if fires is not None:
                fires.predict(picture, verbose=False)
            print(len(found.boxes), flush=True)
        number += 1


if __name__ == "__main__":
    main()

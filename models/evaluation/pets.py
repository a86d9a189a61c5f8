"""Judge the person models on PETS09-S2L1: ``python -m models.evaluation.pets``.

The clip and its annotation lie in the assets folder, which is no part of the project; without them
it says so and exits with 2. Pictures go through a sub-stream's H.264 first: that is what a box
sees. The last line is JSON.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from models.boxes import Picture
from models.evaluation.metrics import (
    Judged,
    Rectangle,
    average_precision,
    judge,
    recall_precision,
)
from models.person import PersonBox, PersonModel, load
from models.store import ModelStore, assets_dir
from protocol.clock import Clock, SystemClock

FPS = 7  # the clip's true rate
VIDEO_PX = (768, 576)
SUB_PX = (640, 480)
SUB_BITS_PER_S = 600_000
MIN_IOU = 0.5
#: Below the models' own thresholds, so that the whole curve is seen.
CURVE_SCORE = 0.1
_VIDEO = Path("videos") / "people_vtest_PETS09-S2L1.avi"
_ANNOTATION = Path("gt") / "PETS09-S2L1_gt.txt"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in a frame: a rectangle in the picture (0-1), a place on the ground in metres."""

    box: Rectangle
    ground_m: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Score:
    """What one model is worth here."""

    model: str
    ap50: float
    recall: float
    precision: float
    ms_per_picture: float


def find_assets(environ: dict[str, str] | None = None) -> Path | None:
    """Return the assets folder if it holds the clip and its annotation."""
    folder = assets_dir(dict(os.environ) if environ is None else environ)
    whole = (folder / _VIDEO).is_file() and (folder / _ANNOTATION).is_file()
    return folder if whole else None


def read_truth(assets: Path) -> dict[int, list[Person]]:
    """Return who is in each frame, counted from 0.

    People whom the annotation marks as not to be judged (too far away) are left out.
    """
    frames: dict[int, list[Person]] = {}
    for line in (assets / _ANNOTATION).read_text(encoding="ascii").splitlines():
        values = [float(value) for value in line.split(",")]
        if not values[6]:
            continue
        left, top, width, height = values[2:6]
        box = (
            left / VIDEO_PX[0],
            top / VIDEO_PX[1],
            (left + width) / VIDEO_PX[0],
            (top + height) / VIDEO_PX[1],
        )
        person = Person(box, (values[7], values[8]))
        frames.setdefault(round(values[0]) - 1, []).append(person)
    return frames


def substream(assets: Path) -> Iterator[Picture]:
    """Yield the clip's pictures (BGR) as a camera's H.264 sub-stream shows them."""
    encoder = av.CodecContext.create("libx264", "w")
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(encoder, av.VideoCodecContext)
    assert isinstance(decoder, av.VideoCodecContext)
    encoder.width, encoder.height = SUB_PX
    encoder.pix_fmt = "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS)
    encoder.bit_rate = SUB_BITS_PER_S
    encoder.thread_count = 1
    kilobits = SUB_BITS_PER_S // 1000
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={FPS}:min-keyint={FPS}:scenecut=0:bframes=0:repeat-headers=1:"
        f"force-cfr=1:vbv-maxrate={2 * kilobits}:vbv-bufsize={2 * kilobits}",
    }
    with av.open(str(assets / _VIDEO)) as container:
        for index, picture in enumerate(container.decode(video=0)):
            small = picture.reformat(*SUB_PX, format="yuv420p", interpolation="FAST_BILINEAR")
            small.pts = index
            for packet in encoder.encode(small):
                for frame in decoder.decode(packet):
                    yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
    for frame in decoder.decode(None):
        yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def normalised(found: Sequence[PersonBox], width: int, height: int) -> list[PersonBox]:
    """Return boxes in pixels as shares of the picture."""
    return [(a / width, b / height, c / width, d / height, score) for a, b, c, d, score in found]


def score(
    model: PersonModel,
    pictures: Sequence[tuple[int, Picture]],
    truth: dict[int, list[Person]],
    clock: Clock,
) -> Score:
    """Return how good a model is on numbered pictures."""
    judged: list[Judged] = []
    people = 0
    times_ms: list[float] = []
    for index, picture in pictures:
        began_ns = clock.monotonic_ns()
        found = model.infer(picture)
        times_ms.append((clock.monotonic_ns() - began_ns) / 1e6)
        there = [person.box for person in truth.get(index, [])]
        people += len(there)
        height, width = picture.shape[:2]
        judged += judge(normalised(found, width, height), there, MIN_IOU)
    recall, precision = recall_precision(judged, people, model.entry.min_score)
    return Score(
        model.entry.name,
        average_precision(judged, people),
        recall,
        precision,
        statistics.median(times_ms),
    )


def main() -> None:
    """Print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a name of the manifest; default: all")
    parser.add_argument("--every", type=int, default=5, help="every n-th picture")
    arguments = parser.parse_args()
    assets = find_assets()
    if assets is None:
        sys.stderr.write("no PETS09-S2L1 here: TANSHAO_ASSETS must name the assets folder\n")
        sys.exit(2)
    store = ModelStore()
    names = arguments.model or [entry.name for entry in store.entries if entry.task == "person"]
    truth = read_truth(assets)
    pictures = [
        (index, picture)
        for index, picture in enumerate(substream(assets))
        if index % arguments.every == 0
    ]
    say = sys.stdout.write
    say(f"{'model':30} {'AP50':>6} {'recall':>7} {'precis.':>8} {'ms':>7}\n")
    report: dict[str, dict[str, float]] = {}
    for name in names:
        selection = store.select(name)
        model = load(selection.entry, selection.path, CURVE_SCORE)
        one = score(model, pictures, truth, SystemClock())
        figures = f"{one.ap50:6.3f} {one.recall:7.3f} {one.precision:8.3f}"
        say(f"{one.model:30} {figures} {one.ms_per_picture:7.1f}\n")
        report[one.model] = {
            "pets_ap50": round(one.ap50, 3),
            "recall": round(one.recall, 3),
            "precision": round(one.precision, 3),
            "ms_per_picture": round(one.ms_per_picture, 1),
        }
    say(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()

"""``make eval-pictures``: a scripted camera is covered, turned, frozen; what is noticed of it.

Faults and everyday light are put on real footage of fixed cameras (the assets folder, or
``--data``), and on a drawn place where there is none; every picture is judged as the detector
process judges it. The last line is JSON.
"""

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from bench.report import emit, table
from bench.scripted_camera import EVERYDAY, FAULTS, Act, Footage, Picture, play
from edge.detect.picture import Look, Plane, look
from edge.detect.picture_health import PictureHealth
from models.store import assets_dir

#: Footage of fixed cameras, and how many of its pictures are a second apart.
CLIPS = {
    "people_vtest_PETS09-S2L1.avi": 10,
    "fire_house6_furg.mp4": 15,
    "neg_FP1_night_lamp.mp4": 1,
    "neg_tree.avi": 15,
}
#: After an act the camera is well again for so long.
_AFTER_S = 30
#: Of a night landscape, too little is to be seen to find it all.
_FOUND_SHARE = 0.9


@dataclass(frozen=True, slots=True)
class Noticed:
    """What was said while an act went on, and when first; ``wrong`` is all that was not so."""

    after_s: int | None
    wrong: frozenset[str]


def seen(picture: Picture) -> Look:
    """Return a picture as the detector process sees it once it is decoded."""
    height, width = picture.shape[:2]
    planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420), np.uint8)
    small = (2, height // 2, width // 2)
    u, v = planes[height:].reshape(small)
    luma: Plane = planes[:height]
    return look(luma, (u, v))


def noticed(footage: Footage, act: Act, expected: str | None, *, calm: bool = False) -> Noticed:
    """Play an act and return what of it was noticed.

    ``calm``: while nothing is odd only every other second is judged, as the detector process does
    where nobody is to be seen; the first of an act is not. With a black lens, that the picture is
    dark is no mistake; with one colour, that it is frozen.
    """
    health = PictureHealth()
    health.begin()
    after_s: int | None = None
    wrong: set[str] = set()
    also = {"blacked": {"underexposed"}, "covered": {"frozen"}, "underexposed": {"blacked"}}
    for second, picture in enumerate(play(footage, act, act.at_s + act.lasts_s + _AFTER_S)):
        if calm and (second - act.at_s) % 2 == 0 and health.is_at_ease:
            continue
        said = {fault.value for fault in health.judge(float(second), seen(picture)).faults}
        since_s = second - act.at_s
        if expected in said and after_s is None and 0 <= since_s < act.lasts_s:
            after_s = since_s
        wrong |= said - {expected or ""} - also.get(expected or "", set())
    return Noticed(after_s, frozenset(wrong))


def scenes(folder: Path) -> Iterator[tuple[str, Footage]]:
    """Yield what is to be judged: the drawn place, and every known clip of the folder."""
    yield "drawn", Footage.drawn()
    for name, every in CLIPS.items():
        if (folder / name).exists():
            yield name, Footage.of_file(folder / name, every)


def main() -> int:
    """Judge all, print a table and the figures; 1 where many were missed or one was imagined."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=assets_dir({}) / "videos")
    parser.add_argument("--calm", action="store_true", help="as a camera that shows nobody")
    given = parser.parse_args()
    rows, waits = [], []
    faults = found = everyday = alarmed = wrong = 0
    for name, footage in scenes(given.data):
        for act, expected, within_s in FAULTS:
            told = noticed(footage, act, expected, calm=given.calm)
            is_found = told.after_s is not None and told.after_s <= within_s
            faults, found, wrong = faults + 1, found + is_found, wrong + bool(told.wrong)
            waits += [told.after_s] if told.after_s is not None and within_s <= 10 else []
            after = "missed" if told.after_s is None else f"{told.after_s} s"
            rows.append((name, act.name, expected, after, " ".join(sorted(told.wrong))))
        for act in EVERYDAY:
            told = noticed(footage, act, None, calm=given.calm)
            everyday, alarmed = everyday + 1, alarmed + bool(told.wrong)
            rows.append((name, act.name, "-", "-", " ".join(sorted(told.wrong))))
    print(table(("scene", "what happens", "fault", "noticed after", "said wrongly"), rows))
    figures = {
        "faults": faults,
        "faults_found": found,
        "faults_seconds_max": max(waits, default=None),
        "faults_with_another": wrong,
        "everyday": everyday,
        "everyday_alarmed": alarmed,
    }
    emit(sys.stdout, figures)
    return 0 if alarmed == 0 and found >= _FOUND_SHARE * faults else 1


if __name__ == "__main__":
    sys.exit(main())

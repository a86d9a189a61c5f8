"""Judge a fire model on labelled pictures: ``python -m models.evaluation.fire``.

A picture counts as found where any box of the class reaches its score, wherever it is: the labels'
boxes are too loose to be held to. The pictures are fire-8's held-out clips, of the assets folder
(without it: exit 2), or those of ``--pictures DIR`` (YOLO's form, see labelled.yolo). A model that
is not in the manifest yet is judged by ``--onnx FILE --scores FLAME,SMOKE``. ``--sweep`` shows
other scores too; they are to be chosen by ``--part validation``, never by the held-out clips. The
last line is JSON.
"""

import argparse
import json
import os
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.labelled import Labelled, Part, coco, fire8, yolo
from models.evaluation.mark import CLASSES
from models.fire import FLAME, SMOKE, FireModel, load
from models.manifest import ModelEntry, ModelInput
from models.store import AUTO, ModelStore, assets_dir, sha256_of
from protocol.clock import Clock, SystemClock

#: The weakest box that is of interest, as a share of the model's scores.
WEAKEST = 0.2
SWEEP = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8)


@dataclass(frozen=True, slots=True)
class Seen:
    """One picture: which classes it has, and the best score that was given to each (0: none)."""

    has: tuple[bool, ...]
    best: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PictureScore:
    """How many pictures were found, and how many without fire or smoke were marked all the same."""

    flames: int
    flames_found: int
    smokes: int
    smokes_found: int
    negatives: int
    false_marks: int

    def figures(self) -> dict[str, object]:
        """Return them as the evaluation's line of JSON has them."""
        return {
            "fire_recall": _share(self.flames_found, self.flames),
            "smoke_recall": _share(self.smokes_found, self.smokes),
            "false_marks": self.false_marks,
            "pictures": {
                "fire": [self.flames_found, self.flames],
                "smoke": [self.smokes_found, self.smokes],
                "negative": [self.false_marks, self.negatives],
            },
        }


def look(model: FireModel, pictures: Sequence[Labelled], clock: Clock) -> tuple[list[Seen], float]:
    """Return what the model sees, and the median of milliseconds a picture.

    Raises ModelError where a picture can't be read.
    """
    found, times_ms = [], []
    for labelled in pictures:
        bgr = _read(labelled.path)
        began_ns = clock.monotonic_ns()
        boxes = model.infer(bgr)
        times_ms.append((clock.monotonic_ns() - began_ns) / 1e6)
        best = tuple(
            max((box.score for box in boxes if box.kind == kind), default=0.0) for kind in CLASSES
        )
        found.append(Seen(tuple(labelled.has(channel) for channel in range(len(CLASSES))), best))
    return found, statistics.median(times_ms)


def score(seen: Sequence[Seen], scores: Sequence[float]) -> PictureScore:
    """Return how good that is at these scores (of CLASSES). Pure."""

    def found(channel: int) -> tuple[int, int]:
        there = [each for each in seen if each.has[channel]]
        return len(there), sum(each.best[channel] >= scores[channel] for each in there)

    negatives = [each for each in seen if not any(each.has)]
    marked = sum(
        any(best >= least for best, least in zip(each.best, scores, strict=True))
        for each in negatives
    )
    return PictureScore(*found(0), *found(1), len(negatives), marked)


def unlisted(path: Path, scores: tuple[float, float], long_side_px: int = 448) -> ModelEntry:
    """Return what the manifest would say of a file that models.training.fire has made."""
    return ModelEntry(
        name=path.stem.replace("_", "-"),
        version="0",
        task="fire",
        family="heat",
        file=path.name,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        url=None,
        licence="-",
        licence_note="-",
        classes=(FLAME, SMOKE),
        fallback=False,
        card="-",
        input=ModelInput("RGB", "NCHW", long_side_px, 32, 127, (127.0,) * 3, (128.0,) * 3, tiles=1),
        min_score=min(scores),
        nms_iou=0.5,
        evaluation={},
        class_scores=scores,
    )


def add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Let the command line say which model it is."""
    parser.add_argument("--model", default=AUTO, help="a name of the manifest")
    parser.add_argument("--onnx", type=Path, help="a file that is not in the manifest")
    parser.add_argument("--scores", default="0.5,0.45", help="of --onnx: flame,smoke")
    parser.add_argument("--side", type=int, default=448, help="of --onnx: the long side, in pixels")


def chosen(given: argparse.Namespace) -> tuple[ModelEntry, Path]:
    """Return the model that the command line names. Raises ModelError where there is none."""
    if given.onnx is not None:
        try:
            flame, smoke = (float(value) for value in given.scores.split(","))
            return unlisted(given.onnx, (flame, smoke), given.side), given.onnx
        except (OSError, ValueError) as error:
            raise ModelError(f"--onnx {given.onnx} --scores {given.scores}: {error}") from error
    selection = ModelStore().select(given.model, "fire")
    return selection.entry, selection.path


def pictures_of(folder: Path | None, part: Part = Part.HELD_OUT) -> list[Labelled]:
    """Return the pictures to judge by: the folder's, else those of a part of the assets'."""
    if folder is not None:
        return yolo(folder, {0: 0, 1: 1})
    assets = assets_dir(os.environ)
    return [each for each in (*fire8(assets), *coco(assets)) if each.part is part]


def _read(path: Path) -> Picture:
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ModelError(f"{path}: must be a picture")
    return np.asarray(bgr, np.uint8)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 3) if whole else None


def main() -> None:
    """Print a table and a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument("--pictures", type=Path, help="classes 0 flame and 1 smoke")
    parser.add_argument("--part", choices=list(Part), default=Part.HELD_OUT)
    parser.add_argument("--sweep", action="store_true", help="other scores too")
    given = parser.parse_args()
    say = sys.stdout.write
    try:
        pictures = pictures_of(given.pictures, Part(given.part))
        entry, path = chosen(given)
        seen, took_ms = look(load(entry, path, WEAKEST), pictures, SystemClock())
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    say(f"{'score':>12} {'fire':>9} {'smoke':>9} {'negatives falsely marked':>25}\n")
    others = [(each, each) for each in SWEEP] if given.sweep else []
    for scores in [entry.scores, *others]:
        one = score(seen, scores)
        counts = f"{one.flames_found:4}/{one.flames:<4} {one.smokes_found:4}/{one.smokes:<4}"
        say(f"{scores[0]:6.2f}{scores[1]:6.2f} {counts} {one.false_marks:20}/{one.negatives}\n")
    report = {"model": entry.name, **score(seen, entry.scores).figures(), "ms": round(took_ms, 1)}
    say(json.dumps(report) + "\n")


if __name__ == "__main__":
    main()

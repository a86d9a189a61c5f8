"""Train and export your own weights: ``python -m models.training.yolo train|export``.

Needs the optional packages of ``pip install -e '.[train-yolo]'``, which are AGPL-3.0, on a machine
that is no box. ``train`` goes on where it was stopped; ``export`` writes NAME.onnx, an entry of
models.toml and a card into a folder that the box's detect.model_dirs may name.
"""

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np

from models.boxes import Picture
from models.errors import ModelError
from models.manifest import TASKS
from models.own import OWN_MANIFEST
from models.training.yolo.course import Course, train
from models.training.yolo.export import Order, export
from models.training.yolo.library import NOTICE


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    training = commands.add_parser("train", help="train from a data set in YOLO's form")
    training.add_argument("--data", required=True, help="ultralytics' YAML of the data set")
    training.add_argument("--out", type=Path, required=True, help="the folder of this training")
    training.add_argument("--weights", default="yolo11n.pt", help="what it begins with")
    training.add_argument("--epochs", type=int, default=100)
    training.add_argument("--imgsz", type=int, default=640, help="long side, in pixels")
    training.add_argument("--batch", type=int, default=16)
    training.add_argument("--device", help="cpu, 0, …; default: ultralytics'")
    training.add_argument("--workers", type=int, default=0, help="processes that load pictures")
    exporting = commands.add_parser("export", help="make the file that a box runs, and list it")
    exporting.add_argument("--weights", type=Path, required=True, help="OUT/weights/best.pt")
    exporting.add_argument("--name", required=True, help="of the model, for detect.model")
    exporting.add_argument("--dir", type=Path, required=True, help="folder of your models")
    exporting.add_argument("--task", choices=sorted(TASKS), default="person")
    exporting.add_argument(
        "--class",
        dest="renamed",
        action="append",
        default=[],
        metavar="THEIRS=OURS",
        help="which class is person, flame or smoke, where it has another name; repeatable",
    )
    exporting.add_argument("--imgsz", type=int, default=640, help="long side a box looks at, in px")
    exporting.add_argument("--score", type=float, default=0.25, help="a weaker box is nothing")
    exporting.add_argument("--licence", default="AGPL-3.0")
    exporting.add_argument("--picture", type=Path, help="one of your cameras', to compare on")
    return parser


def _picture(path: Path | None) -> Picture | None:
    if path is None:
        return None
    picture = cv2.imread(str(path))
    if picture is None:
        raise ModelError(f"{path}: is no picture")
    return np.asarray(picture, np.uint8)


def _renamed(pairs: list[str]) -> dict[str, str]:
    renamed = {}
    for pair in pairs:
        theirs, equals, ours = pair.partition("=")
        if not (theirs and equals and ours):
            raise ModelError(f"--class must be THEIRS=OURS, not {pair!r}")
        renamed[theirs] = ours
    return renamed


def run(arguments: list[str]) -> None:
    """Do what the command line says. Raises ModelError."""
    given = _arguments().parse_args(arguments)
    print(NOTICE)
    if given.command == "train":
        course = Course(given.data, given.weights, given.epochs, given.imgsz, given.batch)
        print(f"best: {train(course, given.out, given.device, given.workers)}")
        return
    order = Order(
        weights=given.weights,
        name=given.name,
        task=given.task,
        folder=given.dir,
        imgsz=given.imgsz,
        score=given.score,
        licence=given.licence,
        renamed=_renamed(given.renamed),
    )
    made = export(order, _picture(given.picture))
    print(
        f"{made.path}: {made.entry.size_bytes} bytes; differs from the network by at most "
        f"{made.side_px:.2g} px and {made.score:.2g}"
    )
    print(f"listed in {given.dir / OWN_MANIFEST}; to fill in: {given.dir / made.entry.card}")


def main() -> None:
    """Serve the command line."""
    try:
        run(sys.argv[1:])
    except ModelError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit("stopped; the same command goes on after the last whole epoch")


if __name__ == "__main__":
    main()

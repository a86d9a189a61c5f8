"""A user's weights as an ONNX file that a box runs, held against the network it comes from."""

import os
import shutil
import tempfile
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from models.boxes import Floats, Letterbox, Picture
from models.errors import ModelError
from models.manifest import NAME, ModelEntry, find, load, parse, read
from models.own import OWN_MANIFEST
from models.session import OnnxSession, normalise
from models.store import sha256_of
from models.training.yolo.agreement import difference
from models.training.yolo.entry import OwnEntry, card, classes_for, manifest_entry
from models.training.yolo.library import open_network
from models.yolo_output import is_final

STRIDE_PX = 32
OPSET = 17
#: A network whose boxes are final answers the best 300 places: a flat picture must have so many.
LEAST_IMGSZ, MOST_IMGSZ = 320, 1920
#: The most that a side, in pixels, and a score may differ from the network's own.
MAX_SIDE_PX, MAX_SCORE = 0.1, 1e-3


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: model ``name`` in ``folder``, beside its manifest.

    ``renamed``: the network's name of a class → person, flame or smoke. ``score``: the least.
    """

    weights: Path
    name: str
    task: str
    folder: Path
    imgsz: int
    score: float
    licence: str
    renamed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Made:
    """What was made, and by how much it differs from the network at the most."""

    entry: ModelEntry
    path: Path
    side_px: float
    score: float


def export(order: Order, picture: Picture | None = None) -> Made:
    """Export, compare on a picture (one is drawn where none is given), and list the model.

    The manifest is written last: stopped anywhere, nothing is listed that is not there. Raises
    ModelError where the name is taken, or the file differs from the network.
    """
    listed = _listed(order)
    if not order.weights.is_file():
        raise ModelError(f"{order.weights}: No such file")
    network = open_network(str(order.weights))
    classes = classes_for(order.task, list(network.names.values()), order.renamed)
    try:
        order.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=order.folder, prefix=f".{order.name}.") as work:
            path = _onnx(order, Path(work))
            own = _own_entry(order, path, classes)
            text = listed + manifest_entry(own)
            source = str(order.folder / OWN_MANIFEST)
            entry = find(order.name, parse(tomllib.loads(text), source))
            side_px, score = _compare(entry, path, network, drawn() if picture is None else picture)
            path.replace(order.folder / entry.file)
        (order.folder / "cards").mkdir(exist_ok=True)
        (order.folder / entry.card).write_text(card(own), encoding="utf-8")
        _replace(order.folder / OWN_MANIFEST, text)
    except OSError as error:
        raise ModelError(f"{order.folder}: {error.strerror}") from error
    return Made(entry, order.folder / entry.file, side_px, score)


def _listed(order: Order) -> str:
    """Return what the manifest has so far. Raises ModelError where this can't be added."""
    if not NAME.fullmatch(order.name):
        raise ModelError(f"name must be of the form {NAME.pattern}, not {order.name!r}")
    if order.imgsz % STRIDE_PX or not LEAST_IMGSZ <= order.imgsz <= MOST_IMGSZ:
        raise ModelError(
            f"imgsz must be a multiple of {STRIDE_PX} from {LEAST_IMGSZ} to {MOST_IMGSZ}, not "
            f"{order.imgsz}"
        )
    path = order.folder / OWN_MANIFEST
    own = read(path) if path.exists() else ()
    if order.name in {entry.name for entry in (*load(), *own)}:
        raise ModelError(f"name '{order.name}': is taken; another model has another name")
    return path.read_text(encoding="utf-8") if own else ""


def _own_entry(order: Order, path: Path, classes: tuple[str, ...]) -> OwnEntry:
    return OwnEntry(
        name=order.name,
        task=order.task,
        classes=classes,
        size_bytes=path.stat().st_size,
        sha256=sha256_of(path),
        licence=order.licence,
        source=order.weights.name,
        imgsz=order.imgsz,
        multiple_px=STRIDE_PX,
        score=order.score,
    )


def _onnx(order: Order, work: Path) -> Path:
    """Export a copy: ultralytics writes beside the weights."""
    weights = work / f"{order.name}{order.weights.suffix}"
    shutil.copyfile(order.weights, weights)
    try:
        made = open_network(str(weights)).export(
            format="onnx",
            imgsz=order.imgsz,
            dynamic=True,  # the picture's own shape, and not a square
            simplify=False,  # it needs one more package
            opset=OPSET,
            nms=False,  # a head of one box an object as it is, and else our own
            device="cpu",
        )
    except Exception as error:
        raise ModelError(f"{order.weights}: does not export: {error}") from error
    path = work / f"{order.name}.onnx"
    if Path(made).resolve() != path.resolve():
        raise ModelError(f"{order.weights}: was exported to {made}")
    return path


def _compare(
    entry: ModelEntry,
    path: Path,
    network: Any,  # noqa: ANN401 - ultralytics has no types
    picture: Picture,
) -> tuple[float, float]:
    """Return the greatest differences of a side and of a score. Raises ModelError for too much.

    As a box would run it: in the picture's own shape, which is not the square of the export.
    """
    height, width = picture.shape[:2]
    canvas = Letterbox.fit(width, height, entry.input.long_side_px, entry.input.multiple_px)
    given = normalise(canvas.apply(picture, entry.input.pad), entry.input)
    answered = OnnxSession(path).run(entry, given)[0]
    expected = _answer(network, given, answered.shape)
    side_px, score = difference(expected, answered, len(entry.classes))
    if side_px > MAX_SIDE_PX or score > MAX_SCORE:
        raise ModelError(
            f"model '{entry.name}': the file must differ from the network by at most "
            f"{MAX_SIDE_PX} px and {MAX_SCORE}, not {side_px:.3g} px and {score:.3g}"
        )
    return side_px, score


def _answer(network: Any, given: Floats, shape: tuple[int, ...]) -> Floats:  # noqa: ANN401 - as above
    """Return PyTorch's answer, of the head that gives one of this shape."""
    import torch  # noqa: PLC0415 - comes with ultralytics

    module = network.model.float().cpu().eval()
    if is_final(shape):
        module.end2end = True
    with torch.no_grad():
        answer = module(torch.from_numpy(given))
    tensor = answer[0] if isinstance(answer, tuple | list) else answer
    return np.asarray(tensor.numpy(), np.float32)


def drawn() -> Picture:
    """Return a picture of noise and shapes, always the same, wider than high."""
    rng = np.random.default_rng(1)
    picture: Picture = rng.integers(0, 256, (360, 640, 3), np.uint8)
    for _ in range(12):
        left, top = (int(side) for side in rng.integers(0, 300, 2))
        colour = [int(part) for part in rng.integers(0, 256, 3)]
        cv2.rectangle(picture, (left, top), (left + 60, top + 60), colour, -1)
    return picture


def _replace(path: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(0o644)
    Path(name).replace(path)

"""A user's folder of models: a network that answers what it is told to, and its manifest."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from models.own import OWN_MANIFEST
from tests.support.onnx_file import Node, model


def network(output: Sequence[Sequence[float]]) -> bytes:
    """Return one that answers these boxes, whatever its input's size, and scores times its maximum.

    ``output`` is [4 + classes, N] or [N, 6], as models.yolo_output has it.
    """
    boxes = np.array(output, np.float32)[None]
    scores = np.zeros_like(boxes)
    of_score = np.s_[:, :, 4] if boxes.shape[2] == 6 else np.s_[:, 4:]
    scores[of_score], boxes[of_score] = boxes[of_score], 0
    return model(
        [
            Node("ReduceMax", ["images"], ["corner"], {}),
            Node("Squeeze", ["corner"], ["white"], {}),
            Node("Mul", ["scores", "white"], ["lit"], {}),
            Node("Add", ["boxes", "lit"], ["output0"], {}),
        ],
        {"boxes": boxes, "scores": scores},
        {"images": [1, 3, "height", "width"]},
        {"output0": list(boxes.shape)},
    )


def entry_text(
    name: str,
    weights: bytes,
    *,
    more: str = "",
    task: str = "person",
    classes: Sequence[str] = ("person", "dog"),
) -> str:
    """Return what a user writes of a model of family yolo whose file is NAME.onnx."""
    return f"""
[[model]]
name = "{name}"
version = "1"
task = "{task}"
family = "yolo"
file = "{name}.onnx"
bytes = {len(weights)}
sha256 = "{hashlib.sha256(weights).hexdigest()}"
licence = "AGPL-3.0"
classes = {list(classes)}
card = "cards/{name}.md"
{more}

[model.input]
colour = "RGB"
layout = "NCHW"
long_side_px = 320
multiple_px = 32
pad = 114
mean = [0, 0, 0]
std = [255, 255, 255]
tiles = 1

[model.thresholds]
score = 0.4
nms_iou = 0.7
"""


def put(folder: Path, name: str, weights: bytes, text: str | None = None) -> Path:
    """Write weights and manifest into the folder, and return the manifest's path."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(weights)
    manifest = folder / OWN_MANIFEST
    manifest.write_text(entry_text(name, weights) if text is None else text, encoding="utf-8")
    return manifest

"""What is written beside a user's weights: the entry of the manifest, and a card to fill in. Pure.

Texts are written as JSON, of which TOML's strings and lists are a superset here.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from models.errors import ModelError
from models.manifest import TASKS

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class OwnEntry:
    """A model that is about to be listed; sizes in pixels and bytes, ``score`` 0 to 1."""

    name: str
    task: str
    classes: Sequence[str]
    size_bytes: int
    sha256: str
    licence: str
    source: str
    imgsz: int
    multiple_px: int
    score: float


def classes_for(
    task: str, names: Sequence[str], renamed: Mapping[str, str] | None = None
) -> tuple[str, ...]:
    """Return the network's classes in this product's words: ``renamed`` is theirs → ours.

    Raises ModelError where a renamed class is none, or none is of use for the task.
    """
    renamed = renamed or {}
    unknown = sorted(renamed.keys() - set(names))
    if unknown:
        raise ModelError(f"class '{unknown[0]}': must be one of {', '.join(names)}")
    classes = tuple(renamed.get(name, name) for name in names)
    if not TASKS[task].intersection(classes):
        wanted = " or ".join(sorted(TASKS[task]))
        raise ModelError(
            f"task '{task}' needs a class {wanted}, and there are {', '.join(names)}: "
            f"name one with --class THEIRS={min(TASKS[task])}"
        )
    return classes


def manifest_entry(entry: OwnEntry) -> str:
    """Return the TOML of it, to be put behind what the manifest has. Raises ModelError."""
    for text in (entry.licence, entry.source, *entry.classes):
        if _CONTROL.search(text):
            raise ModelError(f"{text!r}: must have no control characters")
    return f"""
[[model]]
name = {_text(entry.name)}
version = "1"
task = {_text(entry.task)}
family = "yolo"
file = {_text(f"{entry.name}.onnx")}
bytes = {entry.size_bytes}
sha256 = {_text(entry.sha256)}
licence = {_text(entry.licence)}
licence_note = {_text(f"exported with ultralytics from {entry.source}")}
classes = [{", ".join(map(_text, entry.classes))}]
card = {_text(f"cards/{entry.name}.md")}

[model.input]
colour = "RGB"
layout = "NCHW"
long_side_px = {entry.imgsz}
multiple_px = {entry.multiple_px}
pad = 114
mean = [0, 0, 0]
std = [255, 255, 255]
tiles = 1

[model.thresholds]
score = {entry.score}
nms_iou = 0.7
"""


def card(entry: OwnEntry) -> str:
    """Return the Markdown of a card whose questions only the user can answer."""
    wanted = ", ".join(name for name in entry.classes if name in TASKS[entry.task])
    return f"""# {entry.name}

Finds: {wanted} (of {len(entry.classes)} classes).

| | |
|---|---|
| File | `{entry.name}.onnx`, {entry.size_bytes} bytes, SHA-256 {entry.sha256} |
| Exported from | `{entry.source}`, with ultralytics |
| Licence | {entry.licence} |
| Input | long side {entry.imgsz}, sides multiples of {entry.multiple_px}; RGB, 0 to 1 |
| Least score | {entry.score}, to be measured on pictures of your own cameras |

**Training data.** To be filled in: where the pictures are from, who may use them for what.

**How good.** To be filled in: precision and recall on held-out pictures of your own cameras.

**Where it fails.** To be filled in.

**What it is not.** It finds that there is something, not who: no faces, no identities.
"""


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)

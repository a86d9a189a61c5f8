"""All examples as one ZIP, in the form that training and evaluation read (examples I4).

::

    images/CAMERA-NUMBER.jpg    pictures whose reason says that neither flame nor smoke is in them
    labels/CAMERA-NUMBER.txt    YOLO's form: empty, for nothing is there
    fire.toml                   so that ``make eval-fire`` counts them as negatives
    unlabelled/CAMERA-NUMBER.jpg  the others: something may burn in them; a person labels them first
    examples.json               what is known of each: kind, reason, model, camera's number, day

Nothing in it says when by the clock, where, or who.
"""

import json
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from central.codes import FalseReason
from central.examples.rule import shows_no_fire
from protocol.messages import AlertKind

#: The form of examples.json.
_FORM = 1
_TRUTH = '[[pictures]]\nfolder = "."\nflame = [0]\nsmoke = [1]\n'


@dataclass(frozen=True, slots=True)
class Picture:
    """One example as it goes out."""

    id: int
    path: Path
    kind: AlertKind
    reason: FalseReason
    model: str | None
    camera: str
    day: str

    @property
    def name(self) -> str:
        """Its name in the archive: cameras can be told apart, and villages too."""
        return f"{self.camera}-{self.id:06}"


class _Sink:
    """Where the ZIP is written to: what was written is taken off after each picture."""

    def __init__(self) -> None:
        self._waiting = bytearray()

    def write(self, data: bytes) -> int:
        self._waiting += data
        return len(data)

    def flush(self) -> None:
        """Do nothing: it is memory."""

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def archive(pictures: Iterable[Picture]) -> Iterator[bytes]:
    """Yield the ZIP piece by piece, never more than a picture in memory.

    A picture that was deleted meanwhile is left out, of ``examples.json`` too.
    """
    sink, said = _Sink(), []
    with zipfile.ZipFile(sink, "w") as made:  # type: ignore[call-overload] # it needs no more
        has_negatives = False
        for picture in pictures:
            try:
                jpeg = picture.path.read_bytes()
            except FileNotFoundError:
                continue
            is_negative = shows_no_fire(picture.kind, picture.reason)
            place = f"{'images' if is_negative else 'unlabelled'}/{picture.name}.jpg"
            made.writestr(_entry(place), jpeg)
            if is_negative:
                made.writestr(_entry(f"labels/{picture.name}.txt"), b"")
                has_negatives = True
            said.append(_said(picture, place))
            yield sink.take()
        if has_negatives:
            made.writestr(_entry("fire.toml"), _TRUTH)
        index = {"form": _FORM, "pictures": said}
        made.writestr(_entry("examples.json"), json.dumps(index, indent=1) + "\n")
    yield sink.take()


def _entry(name: str) -> zipfile.ZipInfo:
    """Return an entry of no date: ZipInfo's own is 1980."""
    entry = zipfile.ZipInfo(name)
    entry.external_attr = 0o644 << 16
    return entry


def _said(picture: Picture, place: str) -> dict[str, str | None]:
    return {
        "file": place,
        "kind": picture.kind,
        "reason": picture.reason,
        "model": picture.model,
        "camera": picture.camera,
        "day": picture.day,
    }

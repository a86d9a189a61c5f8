"""Traces of a person: what must be nowhere in what a box keeps or sends.

Of the people in a clip everything is known: each box that the model finds, each whole picture. So
any place, in any form, and any picture that is a part of one, can be told.
"""

import base64
import io
import re
import struct
from collections.abc import Iterator, Sequence

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Box = tuple[float, float, float, float]
Gray = NDArray[np.uint8]

#: What somebody's place, features or number would be called; sides are known by their values.
KEYS = re.compile(
    r'"(bbox(es)?|box|rect(angle)?s?|crop|track(_?id)?|person(_?id)?|embedding|features?|vector'
    r'|detections?)"\s*:'
)
_NUMBER = re.compile(r"(?<![\w.:-])-?\d+(?:\.\d+)?(?:e-?\d+)?(?![\w:-])")
_VECTOR = re.compile(r"\[(?:\s*-?\d+\.\d+(?:e-?\d+)?\s*,){15,}")
_BASE64 = re.compile(r"(?:/9j/|iVBORw0KGgo)[A-Za-z0-9+/]{64,}={0,2}")
_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n"
#: Numbers in a row that are a box's own; fewer may be chance.
_IN_A_ROW = 3
_SHARE_OFF, _PX_OFF = 1e-3, 0.6
#: How far a picture may be from the clip's nearest one, in grey levels: coding, scaling, a mark.
_UNLIKE = 14.0
_SMALL_PX = (64, 48)


class Traces:
    """Looks for people of known places (0-1) in known whole pictures."""

    def __init__(self, boxes: Sequence[Box], pictures: Sequence[Gray]) -> None:
        height, width = pictures[0].shape
        self._shares = np.array(boxes)
        self._pixels = self._shares * [width, height, width, height]
        self._whole = [_small(picture) for picture in pictures]
        self._aspect = width / height
        self._packed = {
            struct.pack(f"{order}2{kind}", *map(np.float32, box[:2]))
            for box in boxes
            for order in "<>"
            for kind in "fd"
        }

    def in_text(self, text: str) -> list[str]:
        """Return what of anybody is in a text."""
        found = [f"key {match.group()}" for match in KEYS.finditer(text)]
        found += [f"vector {match.group()[:40]}" for match in _VECTOR.finditer(text)]
        numbers = [float(match.group()) for match in _NUMBER.finditer(text)]
        for index in range(len(numbers) - _IN_A_ROW + 1):
            row = np.array(numbers[index : index + _IN_A_ROW])
            for places, off in ((self._shares, _SHARE_OFF), (self._pixels, _PX_OFF)):
                if any(
                    (np.abs(places[:, first : first + _IN_A_ROW] - row) <= off).all(axis=1).any()
                    for first in range(5 - _IN_A_ROW)
                ):
                    found.append(f"place {row}")
        for match in _BASE64.finditer(text):
            found += self._in_pictures(base64.b64decode(match.group() + "=="))
        return found

    def in_bytes(self, data: bytes) -> list[str]:
        """Return what of anybody is in a file, a message or a value, of whatever form."""
        found = [f"packed place at {data.find(each)}" for each in self._packed if each in data]
        if data[4:8] == b"ftyp":
            return found + self._in_video(data)
        return found + self._in_pictures(data) + self.in_text(data.decode("utf-8", "ignore"))

    def _in_video(self, data: bytes) -> list[str]:
        with av.open(io.BytesIO(data)) as container:
            luma = [frame.to_ndarray(format="gray") for frame in container.decode(video=0)]
        return [f"a part of a picture, {each.shape}" for each in luma if not self._is_whole(each)]

    def _in_pictures(self, data: bytes) -> list[str]:
        found = []
        for start in _starts(data):
            picture = cv2.imdecode(np.frombuffer(data[start:], np.uint8), cv2.IMREAD_GRAYSCALE)
            if picture is not None and not self._is_whole(np.asarray(picture, np.uint8)):
                found.append(f"a part of a picture, {picture.shape}")
        return found

    def _is_whole(self, picture: Gray) -> bool:
        height, width = picture.shape
        if abs(width / height - self._aspect) > 2 / height:
            return False
        small = _small(picture)
        return min(float(np.abs(small - each).mean()) for each in self._whole) < _UNLIKE


def _starts(data: bytes) -> Iterator[int]:
    for head in (_JPEG, _PNG):
        start = data.find(head)
        while start >= 0:
            yield start
            start = data.find(head, start + 1)


def _small(picture: Gray) -> NDArray[np.float32]:
    return np.asarray(cv2.resize(picture, _SMALL_PX, interpolation=cv2.INTER_AREA), np.float32)

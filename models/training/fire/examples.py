"""Training examples: a picture, changed by chance, as tensors. One example is one seed."""

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from torch import Tensor

from models.boxes import Floats, Picture
from models.errors import ModelError
from models.evaluation.labelled import Labelled
from models.evaluation.mark import Mark
from models.training.fire import augment, hard
from models.training.fire.kindle import kindle
from models.training.fire.targets import grid

#: What the manifest says of the input: RGB, mean and std of EfficientNet-Lite.
MEAN, STD = 127.0, 128.0
#: Width and height of the pictures of a batch: 16:9, 4:3 and square cameras.
SIZES = ((448, 256), (416, 320), (384, 384))
#: Of the harmless pictures so many are made into hard negatives.
HARD_SHARE = 0.5
#: So many more are set on fire.
KINDLED_SHARE = 0.25
#: So many examples are four pictures in one.
MOSAIC_SHARE = 0.2

Example = tuple[Tensor, Tensor, Tensor]


class Examples(torch.utils.data.Dataset[Example]):
    """The examples of one epoch: the same for the same seed and epoch, whoever loads them.

    All of a batch have one size, which turns from batch to batch.
    """

    def __init__(self, pictures: Sequence[Labelled], seed: int, epoch: int, batch: int) -> None:
        self._pictures = pictures
        self._flames = [each for each in pictures if each.has(0)]
        self._seed, self._epoch, self._batch = seed, epoch, batch
        self._order = np.random.default_rng([seed, epoch]).permutation(len(pictures))

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> Example:
        """Return input [3, h, w], target and weight [classes, h/16, w/16]."""
        rng = np.random.default_rng([self._seed, self._epoch, index])
        width, height = SIZES[(index // self._batch + self._epoch) % len(SIZES)]
        labelled = self._pictures[self._order[index]]
        if rng.random() < MOSAIC_SHARE:
            bgr, marks = self._mosaic(labelled, (width, height), rng)
        else:
            bgr, marks = self._single(labelled, (width, height), rng)
        target, weight = grid(marks, width, height)
        bgr = augment.camera(bgr, rng)
        return torch.from_numpy(tensor(bgr)), torch.from_numpy(target), torch.from_numpy(weight)

    def _single(
        self, labelled: Labelled, size: tuple[int, int], rng: np.random.Generator
    ) -> tuple[Picture, tuple[Mark, ...]]:
        bgr, marks = augment.place(read(labelled), labelled.marks, size, rng)
        if labelled.marks:
            return bgr, marks
        chance = rng.random()
        if chance < HARD_SHARE:
            return hard.MAKERS[int(rng.integers(len(hard.MAKERS)))](bgr, rng), ()
        if chance < HARD_SHARE + KINDLED_SHARE and self._flames:
            other = self._flames[int(rng.integers(len(self._flames)))]
            flames = [mark for mark in other.marks if mark.channel == 0]
            mark = flames[int(rng.integers(len(flames)))]
            bgr, burning = kindle(bgr, read(other), mark, rng)
            return bgr, () if burning is None else (burning,)
        return bgr, ()

    def _mosaic(
        self, labelled: Labelled, size: tuple[int, int], rng: np.random.Generator
    ) -> tuple[Picture, tuple[Mark, ...]]:
        """Return four pictures in one: what is on them becomes small, as it is from afar."""
        width, height = size[0] // 2, size[1] // 2
        others = [self._pictures[int(each)] for each in rng.integers(len(self._pictures), size=3)]
        made = np.empty((2 * height, 2 * width, 3), np.uint8)
        marks: list[Mark] = []
        for quarter, one in enumerate([labelled, *others]):
            row, column = divmod(quarter, 2)
            bgr, own = self._single(one, (width, height), rng)
            rows = slice(row * height, (row + 1) * height)
            made[rows, column * width : (column + 1) * width] = bgr
            marks += [
                Mark(
                    mark.channel,
                    (mark.left + column) / 2,
                    (mark.top + row) / 2,
                    (mark.right + column) / 2,
                    (mark.bottom + row) / 2,
                )
                for mark in own
            ]
        return made, tuple(marks)


def read(labelled: Labelled) -> Picture:
    """Return the picture. Raises ModelError where it can't be read."""
    bgr = cv2.imread(str(labelled.path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise ModelError(f"{labelled.path}: must be a picture")
    return np.asarray(bgr, np.uint8)


def tensor(bgr: Picture) -> Floats:
    """Return the network's input [3, h, w]."""
    rgb = bgr[:, :, ::-1].transpose(2, 0, 1).astype(np.float32)
    return np.ascontiguousarray((rgb - np.float32(MEAN)) / np.float32(STD))

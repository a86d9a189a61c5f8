"""How good a network is on clips of their own: what its best epoch is chosen by."""

from collections.abc import Sequence

import torch

from models.boxes import Letterbox
from models.evaluation.fire import Seen
from models.evaluation.labelled import Labelled
from models.evaluation.mark import CLASSES
from models.training.fire.examples import read, tensor
from models.training.fire.network import FireNetwork

#: The size and the padding that a box uses: of the manifest's entry.
LONG_SIDE_PX, MULTIPLE_PX, PAD = 448, 32, 127


def look(network: FireNetwork, pictures: Sequence[Labelled]) -> list[Seen]:
    """Return the surest cell of each class in each picture, as a box would see it."""
    network.eval()
    seen = []
    with torch.no_grad():
        for labelled in pictures:
            bgr = read(labelled)
            height, width = bgr.shape[:2]
            canvas = Letterbox.fit(width, height, LONG_SIDE_PX, MULTIPLE_PX).apply(bgr, PAD)
            heat = torch.sigmoid(network(torch.from_numpy(tensor(canvas))[None]))[0]
            best = tuple(float(value) for value in heat.flatten(1).amax(dim=1))
            has = tuple(labelled.has(channel) for channel in range(len(CLASSES)))
            seen.append(Seen(has, best))
    return seen


def worth(seen: Sequence[Seen]) -> float:
    """Return the mean over the classes of how well they rank the pictures (average precision)."""
    return sum(_precision(seen, channel) for channel in range(len(CLASSES))) / len(CLASSES)


def _precision(seen: Sequence[Seen], channel: int) -> float:
    ranked = sorted(seen, key=lambda each: (-each.best[channel], each.has[channel]))
    found, total = 0, 0.0
    for number, each in enumerate(ranked, 1):
        if each.has[channel]:
            found += 1
            total += found / number
    return total / found if found else 0.0

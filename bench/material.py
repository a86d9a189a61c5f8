"""What an evaluation has at hand: the assets folder's footage, or that of a folder of one's own."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.footage import Clip, pictures_in, read_truth, readable, truth_of
from models.errors import ModelError
from models.evaluation.fire import pictures_of
from models.evaluation.labelled import Labelled
from models.evaluation.pets import find_assets
from models.store import assets_dir

_ASSETS_TRUTH = Path(__file__).resolve().parent / "assets.toml"


@dataclass(slots=True)
class Material:
    """Footage to judge by; ``lost`` is what could not be judged, in words.

    ``pets`` is the folder that holds PETS09-S2L1, if one does; ``judged`` counts what was.
    """

    folder: Path
    clips: Sequence[Clip]
    fire_pictures: Sequence[Labelled]
    person_pictures: Sequence[Labelled]
    pets: Path | None
    lost: list[str] = field(default_factory=list)
    judged: int = 0

    @contextmanager
    def losing(self) -> Iterator[None]:
        """Take a ModelError as the loss of what was to be judged, and go on."""
        try:
            yield
        except ModelError as error:
            lose(self.lost, str(error))
        else:
            self.judged += 1


def lose(lost: list[str], what: str) -> None:
    """Note and say, once, that something could not be judged."""
    if what not in lost:
        lost.append(what)
        sys.stderr.write(f"not judged: {what}\n")


def add_data_argument(parser: argparse.ArgumentParser) -> None:
    """Let the command line name a folder of one's own."""
    parser.add_argument("--data", type=Path, help="a folder with a truth.toml, not the assets")


def material(data: Path | None) -> Material:
    """Return what there is in a folder of one's own, else in the assets folder.

    Raises ModelError where that is missing, or its truth file is wrong.
    """
    folder = assets_dir(os.environ) if data is None else data
    if not folder.is_dir():
        hint = " (TANSHAO_ASSETS must name the assets folder, or --data one)" if not data else ""
        raise ModelError(f"no footage: {folder} must be a folder{hint}")
    footage = read_truth(_ASSETS_TRUTH) if data is None else truth_of(folder)
    lost: list[str] = []
    fires = pictures_in(folder, [each for each in footage.pictures if each.are_of_fire], lost)
    people = pictures_in(folder, [each for each in footage.pictures if each.person], lost)
    pets = find_assets({"TANSHAO_ASSETS": str(folder)})
    found = Material(folder, footage.clip, fires, people, pets)
    for each in lost:
        lose(found.lost, each)
    if data is None:
        try:
            found.fire_pictures = readable(pictures_of(None), found.lost)
        except ModelError as error:
            lose(found.lost, str(error))
    return found

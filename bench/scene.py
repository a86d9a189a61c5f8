"""Judge the gathering rule on PETS09-S2L1, detectors against the truth: ``python -m bench.scene``.

The rule is the demo's own, with the demo's ground points. It is fed the annotation's places, then
what each person model sees in the sub-stream at several rates and from every first frame, the clip
played twice. A run is right where it starts what the truth starts, within 2 s, and nothing else.
Without the assets folder it says so and exits with 2. The last line is JSON.
"""

import argparse
import json
import math
import statistics
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.match import match
from edge.alarm.geometry import Ground, Place, foot, place
from edge.alarm.scene import GatheringRule
from edge.alarm.sensitivity import Sensitivity
from edge.config import GroundPoint
from edge.detect.schedule import TICKS_PER_S, Due
from edge.lookout import WEAK_SHARE
from edge.ports import Box
from edge.rule_config import GatheringSection
from models.boxes import Picture
from models.errors import ModelError
from models.evaluation.persons import CURVE_SCORE, Seen
from models.evaluation.persons import look as look_at
from models.evaluation.pets import (
    FPS,
    SUB_PX,
    Person,
    find_assets,
    read_truth,
    substream,
)
from models.person import PersonBox, load
from models.store import ModelStore, Selection
from protocol.clock import SystemClock
from protocol.messages import AlertLevel, AlertOp
from village import demo

FRAMES = 795
TURNS = 2
T0 = datetime(2026, 1, 1, tzinfo=UTC)
ASPECT = SUB_PX[0] / SUB_PX[1]
#: Frames a second, and how many first frames are worth trying.
RATES: tuple[tuple[float, int], ...] = ((7.0, 1), (3.5, 2), (2.0, 4), (1.4, 5))
#: The demo's rate; at lower ones a wrong run is shown and not judged.
LOWEST_FPS = 2.0
#: People of the annotation are sure.
SURE = 0.5

Places = Callable[[int], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Run:
    """One play of the clip: what was started, in seconds, and how far from the truth's starts."""

    fps: float
    first: int
    starts_s: tuple[float, ...]
    offsets_s: tuple[float, ...]
    missed: int
    false: int


def frames_due(fps: float, first: int, turns: int = TURNS) -> Iterator[int]:
    """Yield the frames that the detector looks at, over all turns."""
    due = Due(fps)
    for frame in range(first, FRAMES * turns):
        if due.is_due(frame * TICKS_PER_S // FPS):
            yield frame


def starts_s(
    rule: GatheringSection,
    places: Places,
    fps: float,
    first: int,
    min_score: float,
    turns: int = TURNS,
) -> list[float]:
    """Return when the rule starts an alert, in seconds from the first frame."""
    machine = GatheringRule("cam", rule, min_score=min_score, interval_s=1 / fps)
    return started_s(
        machine,
        ((frame / FPS, places(frame % FRAMES)) for frame in frames_due(fps, first, turns)),
    )


def started_s(machine: GatheringRule, seen: Iterable[tuple[float, Sequence[Place]]]) -> list[float]:
    """Return when a rule starts an alert on places that are given with their seconds."""
    said = (
        occurrence
        for at_s, places in seen
        for occurrence in machine.see(T0 + timedelta(seconds=at_s), places)
    )
    return [(each.at - T0).total_seconds() for each in said if each.op is AlertOp.START]


def play(
    rule: GatheringSection, places: Places, truth_s: Sequence[float], min_score: float
) -> list[Run]:
    """Return every run of a rule on places."""
    runs = []
    for fps, firsts in RATES:
        for first in range(firsts):
            found = starts_s(rule, places, fps, first, min_score)
            result = match(
                [T0 + timedelta(seconds=each) for each in truth_s],
                [T0 + timedelta(seconds=each) for each in found],
            )
            offsets = tuple(found[have] - truth_s[want] for want, have in result.pairs)
            missed, false = len(result.missed), len(result.false)
            runs.append(Run(fps, first, tuple(found), offsets, missed, false))
    return runs


def truth_places(truth: Mapping[int, Sequence[Person]]) -> Places:
    """Return the annotation's own metres."""
    known = {
        frame: [Place(*person.ground_m, 1.0, foot(Box(*person.box, 1.0)), 1.0) for person in people]
        for frame, people in truth.items()
    }
    return lambda frame: known.get(frame, [])


def seen_places(seen: Sequence[Sequence[PersonBox]], ground: Ground, min_score: float) -> Places:
    """Return the places of what a model saw; too weak boxes are left out as the detector does."""
    weak_score = min_score * WEAK_SHARE
    places = [
        [
            there
            for box in frame
            if box[4] >= weak_score and (there := place(Box(*box), ground, ASPECT)) is not None
        ]
        for frame in seen
    ]
    return lambda frame: places[frame]


def demo_ground() -> Ground:
    """Return the ground of the clip's camera."""
    points = [GroundPoint.model_validate(point) for point in demo.ground()]
    return Ground([(point.image, point.metres) for point in points])


def residuals_m(ground: Ground, truth: Mapping[int, Sequence[Person]]) -> list[float]:
    """Return how far the ground points put people from each other, against the annotation.

    Distances between people of a frame are compared, since the two may count metres from different
    corners.
    """
    errors = []
    for people in truth.values():
        here = [ground.metres(foot(Box(*person.box, 1.0))) for person in people]
        for one, other in zip(range(len(people)), range(1, len(people)), strict=False):
            a, b = here[one], here[other]
            if a is not None and b is not None:
                true_m = math.dist(people[one].ground_m, people[other].ground_m)
                errors.append(abs(math.dist(a, b) - true_m))
    return errors


def look(selection: Selection, assets: Path, keep: Path | None) -> Seen:
    """Return what a model sees in every frame; from ``keep`` where that was done before.

    Raises ModelError where the model or the clip can't be read, or the clip is not whole.
    """
    name = selection.entry.name
    if keep is not None and (file := keep / f"{name}.json").is_file():
        return Seen(**json.loads(file.read_text(encoding="utf-8")))
    model = load(selection.entry, selection.path, CURVE_SCORE)
    seen = look_at(model, _counted(name, substream(assets)), SystemClock())
    if len(seen.boxes) != FRAMES:
        raise ModelError(f"PETS09-S2L1 must have {FRAMES} pictures, not {len(seen.boxes)}")
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        (keep / f"{name}.json").write_text(json.dumps(asdict(seen)), encoding="utf-8")
    return seen


def _counted(name: str, pictures: Iterator[Picture]) -> Iterator[Picture]:
    for index, picture in enumerate(pictures):
        if index % 100 == 0:
            sys.stderr.write(f"{name}: frame {index} of {FRAMES}\n")
        yield picture


def show(name: str, runs: Sequence[Run]) -> dict[str, float]:
    """Print the runs' table and return their sums."""
    for fps, _ in RATES:
        cells = []
        for run in runs:
            if run.fps == fps:
                offsets = "/".join(f"{offset:+.1f}" for offset in run.offsets_s) or "-"
                bad = f" missed {run.missed} false {run.false}" if run.missed + run.false else ""
                cells.append(offsets + bad)
        print(f"  {name:34} {fps:3.1f} fps  " + "  ".join(cells))
    errors_s = [abs(offset) for run in runs for offset in run.offsets_s]
    return {
        "runs": len(runs),
        "right": sum(run.missed + run.false == 0 for run in runs),
        "missed": sum(run.missed for run in runs),
        "false": sum(run.false for run in runs),
        "start_error_s_max": round(max(errors_s, default=math.nan), 2),
    }


def margins(
    rule: GatheringSection, seen: Callable[[float], Places], truth: Places, min_score: float
) -> Iterator[tuple[str, list[Run]]]:
    """Yield the same rule with changed settings, each against the truth under the same change.

    ``seen`` gives the places at a score.
    """
    changes: tuple[tuple[str, dict[str, object]], ...] = (
        ("radius 1.8 m", {"radius_m": 1.8}),
        ("radius 2.2 m", {"radius_m": 2.2}),
        ("hold 4 s", {"hold_s": 4.0}),
        ("gap 1 s", {"gap_s": 1.0}),
        ("low sensitivity", {"sensitivity": Sensitivity.LOW}),
        ("high sensitivity", {"sensitivity": Sensitivity.HIGH}),
        ("five people", {"levels": {AlertLevel.ORDINARY: 5}}),
    )
    for name, change in changes:
        changed = rule.model_copy(update=change)
        expected_s = starts_s(changed, truth, FPS, 0, SURE)
        yield name, play(changed, seen(min_score), expected_s, min_score)
    expected_s = starts_s(rule, truth, FPS, 0, SURE)
    for score in (min_score - 0.05, min_score + 0.05):
        yield f"score {score:.2f}", play(rule, seen(score), expected_s, score)


def main() -> None:
    """Print the tables and the line of JSON; exit with 1 where a model gets a rate of 2 wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a name of the manifest; default: all")
    parser.add_argument("--keep", type=Path, help="a folder for what the models saw, to go faster")
    arguments = parser.parse_args()
    assets = find_assets()
    if assets is None:
        sys.stderr.write("no PETS09-S2L1 here: TANSHAO_ASSETS must name the assets folder\n")
        sys.exit(2)
    truth = read_truth(assets)
    ground = demo_ground()
    rule = GatheringSection.model_validate(demo.gathering_close())
    errors = residuals_m(ground, truth)
    print(
        f"ground: distances between people are off by {statistics.median(errors):.2f} m (median), "
        f"{statistics.quantiles(errors, n=20)[-1]:.2f} m (95 %)"
    )
    true_places = truth_places(truth)
    expected_s = starts_s(rule, true_places, FPS, 0, SURE)
    print("the truth starts at " + ", ".join(f"{second:.2f} s" for second in expected_s))
    report: dict[str, object] = {"expected_s": [round(second, 2) for second in expected_s]}
    report["truth"] = show(
        "the truth, looked at less often", play(rule, true_places, expected_s, SURE)
    )
    right = True
    store = ModelStore()
    for entry in store.entries:
        if entry.task != "person" or (arguments.model and entry.name not in arguments.model):
            continue
        boxes = look(store.select(entry.name), assets, arguments.keep).boxes
        seen = partial(seen_places, boxes, ground)
        runs = play(rule, seen(entry.min_score), expected_s, entry.min_score)
        report[entry.name] = show(entry.name, runs)
        right &= all(run.missed + run.false == 0 for run in runs if run.fps >= LOWEST_FPS)
        for change, changed_runs in margins(rule, seen, true_places, entry.min_score):
            show(f"{entry.name[:18]} {change}", changed_runs)
    print(json.dumps(report))
    sys.exit(0 if right else 1)


if __name__ == "__main__":
    main()

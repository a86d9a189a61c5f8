"""Gatherings through the whole rule, from what a person model sees: in PETS and in any clip."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from bench import scene
from bench.footage import Clip, GatheringTruth, Spans, looks
from bench.match import TOLERANCE_S, match
from bench.report import rounded, table
from edge.alarm.gathering import Gathering
from edge.alarm.geometry import Place, largest_cluster, place
from edge.alarm.scene import GatheringRule, timing_of
from edge.lookout import WEAK_SHARE
from edge.ports import Box
from edge.rule_config import GatheringSection
from models.evaluation.persons import Seen, normalised
from models.evaluation.pets import FPS, Person
from models.manifest import ModelEntry
from models.person import PersonModel
from protocol.messages import AlertLevel, AlertOp
from village import demo

#: Looks a second of a camera where people are.
BOX_FPS = 2.0
#: With a clear time of these, the rule must say what it says on the annotation's own places.
CLEAR_S = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0)
_FEW, _MANY = 3, 5
#: The annotation loses somebody for a frame now and then.
_BRIDGED_FRAMES = 1


@dataclass(frozen=True, slots=True)
class Outcome:
    """When a rule started alerts, against when it had to, in seconds.

    ``off_s`` is of each found one how much later than expected it was, at most TOLERANCE_S either
    way; ``late_s`` the same of those that are of a true gathering and further off.
    """

    expected_s: tuple[float, ...]
    started_s: tuple[float, ...]
    off_s: tuple[float, ...]
    late_s: tuple[float, ...]
    missed: int
    false: int

    @property
    def is_right(self) -> bool:
        """Whether every gathering was found in time, and nothing else."""
        return not self.missed and not self.false and not self.late_s

    def row(self) -> tuple[object, ...]:
        """Return the cells of HEAD."""
        return (
            _seconds(self.expected_s),
            _seconds(self.started_s),
            len(self.off_s),
            _seconds((*self.off_s, *self.late_s), "+.1f"),
            self.missed,
            self.false,
        )


HEAD = ("expected s", "alerts s", "found", "off by s", "missed", "false")


@dataclass(frozen=True, slots=True)
class PetsRun:
    """One play of PETS: the rule's threshold and clear time, the rate of looking, what it said."""

    people: int
    clear_s: float
    fps: float
    first: int
    outcome: Outcome


def judged(expected_s: Sequence[float], started_s: Sequence[float], spans: Spans = ()) -> Outcome:
    """Hold starts against the expected ones. Pure.

    A start that is more than TOLERANCE_S off is of a gathering that has no better one where it lies
    in the same one of ``spans``, else it is false.
    """
    result = match(_times(expected_s), _times(started_s))
    late: dict[int, int] = {}
    for want in result.missed:
        near = [
            have
            for begin_s, end_s in spans
            if begin_s <= expected_s[want] <= end_s + TOLERANCE_S
            for have in result.false
            if have not in late.values()
            and begin_s - TOLERANCE_S <= started_s[have] <= end_s + TOLERANCE_S
        ]
        if near:
            late[want] = near[0]
    return Outcome(
        tuple(expected_s),
        tuple(started_s),
        tuple(started_s[have] - expected_s[want] for want, have in result.pairs),
        tuple(started_s[have] - expected_s[want] for want, have in late.items()),
        len(result.missed) - len(late),
        len(result.false) - len(late),
    )


# -- any clip ----------------------------------------------------------------------------------


def play(path: Path, clip: Clip, model: PersonModel, fps: float = BOX_FPS) -> list[Outcome]:
    """Return what each of the clip's rules says. Raises ModelError where it can't be read."""
    seen = _places(path, clip, model, fps)
    times_s = [at_s for at_s, _ in seen]
    outcomes = []
    for truth in clip.gathering:
        rule = GatheringRule(
            "clip",
            truth.rule,
            min_score=model.entry.min_score,
            interval_s=1 / fps,
            has_ground=bool(clip.ground),
        )
        started_s = scene.started_s(rule, seen)
        outcomes.append(judged(expected_s(truth, times_s), started_s, truth.spans))
    return outcomes


def expected_s(truth: GatheringTruth, times_s: Sequence[float]) -> list[float]:
    """Return when the rule starts an alert if as many people are there as its spans say. Pure.

    So two spans that a clear time joins, or that are within its repeat time, are one alert.
    """
    machine = Gathering(timing_of(truth.rule))
    starts_s = []
    for at_s in times_s:
        is_there = any(begin_s <= at_s <= end_s for begin_s, end_s in truth.spans)
        at = scene.T0 + timedelta(seconds=at_s)
        change = machine.update(at, truth.threshold if is_there else 0)
        if change is not None and change.op is AlertOp.START:
            starts_s.append(at_s)
    return starts_s


def figures(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """Return the counts of the last line. Pure."""
    off_s = [abs(each) for one in outcomes for each in (*one.off_s, *one.late_s)]
    return {
        "gatherings": sum(len(each.expected_s) for each in outcomes),
        "gatherings_found": sum(len(each.off_s) for each in outcomes),
        "gatherings_false": sum(each.false for each in outcomes),
        "gatherings_late": sum(len(each.late_s) for each in outcomes),
        "gatherings_off_s_max": rounded(max(off_s, default=None)),
    }


def _places(
    path: Path, clip: Clip, model: PersonModel, fps: float
) -> list[tuple[float, list[Place]]]:
    ground = clip.plane()
    weak_score = model.entry.min_score * WEAK_SHARE
    seen = []
    for each in looks(path, fps, clip.fps):
        height, width = each.luma.shape
        boxes = normalised(model.infer(each.bgr), width, height)
        found = (place(Box(*box), ground, width / height) for box in boxes if box[4] >= weak_score)
        seen.append((each.at_s, [there for there in found if there is not None]))
    return seen


# -- PETS09-S2L1 -------------------------------------------------------------------------------


def pets(seen: Seen, entry: ModelEntry, truth: dict[int, list[Person]]) -> list[PetsRun]:
    """Return what the rule says of PETS from what a model saw, at every rate and first frame.

    Three people within 2 m of the next for 5 s, and five, without a clear time: held against the
    annotation's own gatherings. Three with several clear times: against what the rule says of the
    annotation's places at the same rate.
    """
    true_places = scene.truth_places(truth)
    seen_places = scene.seen_places(seen.boxes, scene.demo_ground(), entry.min_score)
    counts = [
        largest_cluster(true_places(frame), _rule(_FEW, 0.0).radius_m)
        for frame in range(scene.FRAMES)
    ]
    runs = []
    for fps, first in ((fps, first) for fps, firsts in scene.RATES for first in range(firsts)):
        starts_s = partial(_starts_s, fps=fps, first=first)
        for people in (_FEW, _MANY):
            rule = _rule(people, 0.0)
            true_s = true_starts_s(counts, people, rule.hold_s)
            outcome = judged(true_s, starts_s(rule, seen_places, entry.min_score))
            runs.append(PetsRun(people, 0.0, fps, first, outcome))
        for clear_s in CLEAR_S:
            rule = _rule(_FEW, clear_s)
            said_of_truth_s = starts_s(rule, true_places, scene.SURE)
            outcome = judged(said_of_truth_s, starts_s(rule, seen_places, entry.min_score))
            runs.append(PetsRun(_FEW, clear_s, fps, first, outcome))
    return runs


def _starts_s(
    rule: GatheringSection, places: scene.Places, min_score: float, *, fps: float, first: int
) -> list[float]:
    return scene.starts_s(rule, places, fps, first, min_score, turns=1)


def true_starts_s(counts: Sequence[int], people: int, hold_s: float) -> list[float]:
    """Return when so many people had been together for so long, by PETS's counts a frame. Pure."""
    starts_s = []
    begin = last = None
    for frame, count in enumerate(counts):
        if count < people:
            continue
        if begin is None or last is None or frame - last > _BRIDGED_FRAMES + 1:
            begin = frame
        last = frame
        if (frame - begin) == round(hold_s * FPS):
            starts_s.append(frame / FPS)
    return starts_s


def pets_figures(runs: Sequence[PetsRun]) -> dict[str, object]:
    """Return the counts of the last line: the worst first frame at the box's rate. Pure."""
    at_rate = [run for run in runs if run.fps == BOX_FPS]
    few = [run.outcome for run in at_rate if run.people == _FEW and not run.clear_s]
    many = [run.outcome for run in at_rate if run.people == _MANY]
    cleared = [run.outcome for run in at_rate if run.clear_s]
    off_s = [abs(each) for outcome in few for each in outcome.off_s]
    return {
        "gatherings": max(len(each.expected_s) for each in few),
        "gatherings_found": min(len(each.off_s) for each in few),
        "gatherings_false": max(each.false for each in few) + max(each.false for each in many),
        "gatherings_off_s_max": rounded(max(off_s, default=None)),
        "clear_times": len(cleared),
        "clear_times_as_truth": sum(each.is_right for each in cleared),
    }


def show_pets(runs: Sequence[PetsRun]) -> str:
    """Return a table of the runs without a clear time, and one of those that have one."""
    plain = [
        (f"N>={run.people}", run.fps, run.first, *run.outcome.row())
        for run in runs
        if not run.clear_s
    ]
    cleared: list[tuple[object, ...]] = []
    for fps, _ in scene.RATES:
        for clear_s in CLEAR_S:
            of_both = [run.outcome for run in runs if (run.fps, run.clear_s) == (fps, clear_s)]
            alike = sum(outcome.is_right for outcome in of_both)
            cleared.append((fps, clear_s, f"{alike} of {len(of_both)}"))
    return "\n".join(
        (
            "no clear time, against the annotation's gatherings",
            table(("people", "looks/s", "first", *HEAD), plain),
            "",
            f"N>={_FEW} with a clear time, against the rule on the annotation's places",
            table(("looks/s", "clear s", "first frames with the same alerts"), cleared),
        )
    )


def _rule(people: int, clear_s: float) -> GatheringSection:
    changed = {"levels": {AlertLevel.ORDINARY.value: people}, "clear_s": clear_s}
    return GatheringSection.model_validate(demo.gathering_close() | changed)


def _times(seconds: Sequence[float]) -> list[datetime]:
    return [scene.T0 + timedelta(seconds=each) for each in seconds]


def _seconds(values: Sequence[float], form: str = ".1f") -> str:
    return " ".join(format(value, form) for value in values) or "-"

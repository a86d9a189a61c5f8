"""``make eval-fire``: the fire model and the whole fire rule over labelled pictures and clips.

Every clip is looked at as a box would, seldom until there is something, by its own time, and its
sightings go through the rule with the settings that a camera has by default. The clips and pictures
are those of the assets folder (bench/assets.toml; fire-8's held-out clips), or those of ``--data
DIR``, whose ``truth.toml`` says what is where (docs/design/evaluation.md). Beside our model: a rule
of colour and flicker, and PyPI fire-detector where it is installed, through the same rule. The last
line is JSON; where nothing could be judged it exits with 2.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.fire_baselines import SCORE, ColourFlicker, PyPiDetector, Seer
from bench.footage import Clip, looks
from bench.material import Material, add_data_argument, material
from bench.report import emit, rounded, table
from edge.alarm.fire_rule import FireRule
from edge.config import DetectSection
from edge.detect.looker import fire_rows
from edge.detect.motion import Motion, shrink
from edge.detect.process import sighting
from edge.lookout import WEAK_SHARE
from edge.rule_config import FireSection
from models.errors import ModelError
from models.evaluation.fire import WEAKEST, add_model_arguments, chosen, look, score
from models.fire import load
from models.manifest import ModelEntry
from protocol.clock import SystemClock
from protocol.messages import AlertKind, AlertOp

#: Looks a second at what may burn, and else: what a box does by default.
FPS, CALM_FPS = DetectSection().fps, DetectSection().calm_fps
_ROUNDING_S = 0.01
#: An alarm so much before the truth has flame or smoke is still of it: spans are read off by eye.
SLACK_S = 1.0
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
#: What the last line says of the fire model, None where there was nothing to judge it by.
KEYS = (
    *("fire_clips", "fire_clips_alarmed", "fire_seconds_max", "negatives", "negatives_alarmed"),
    *("fire_recall", "smoke_recall", "false_marks"),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rule said of one clip: when flame and smoke were first called, in seconds."""

    clip: Clip
    flame_s: float | None
    smoke_s: float | None

    @property
    def first_s(self) -> float | None:
        """When anything was called."""
        return min((at for at in (self.flame_s, self.smoke_s) if at is not None), default=None)

    @property
    def is_false(self) -> bool:
        """Whether something was called where, or before, there was anything to call."""
        if self.first_s is None:
            return False
        spans = (*self.clip.flame, *self.clip.smoke)
        return not spans or self.first_s < min(start for start, _ in spans) - SLACK_S

    @property
    def seconds(self) -> float | None:
        """How long after flame was visible the alarm came; 0 where smoke called before."""
        if self.first_s is None or self.clip.begins_s is None or self.is_false:
            return None
        return max(0.0, self.first_s - self.clip.begins_s)


def play(
    path: Path, clip: Clip, seer: Seer, scores: Mapping[AlertKind, float], fps: float
) -> Verdict:
    """Return what the rule says of a clip that is looked at as a box does.

    Raises ModelError where it can't be read.
    """
    calm_fps = min(CALM_FPS, fps)
    rule = FireRule("clip", FireSection(id="fire"), min_scores=scores, interval_s=1 / calm_fps)
    motion = Motion()
    called: dict[AlertKind, float] = {}
    due_s = 0.0
    for each in looks(path, fps, clip.fps):
        if each.at_s < due_s - _ROUNDING_S:
            continue
        motion.see(shrink(each.luma))
        height, width = each.luma.shape
        seen = list(map(sighting, fire_rows(seer.infer(each.bgr), motion, width, height)))
        for said in rule.see(_BEGAN + timedelta(seconds=each.at_s), seen):
            if said.op is AlertOp.START:
                called.setdefault(said.kind, each.at_s)
        due_s = each.at_s + 1 / (fps if rule.is_busy else calm_fps)
    return Verdict(clip, called.get(AlertKind.FLAME), called.get(AlertKind.SMOKE))


def figures(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the counts of the last line. Pure."""
    fires = [each for each in verdicts if each.clip.flame]
    negatives = [each for each in verdicts if each.clip.is_negative]
    took = [each.seconds for each in fires if each.seconds is not None]
    return {
        "fire_clips": len(fires),
        "fire_clips_alarmed": len(took),
        "fire_seconds_max": rounded(max(took, default=None)),
        "negatives": len(negatives),
        "negatives_alarmed": sum(each.is_false for each in negatives),
        "called_too_early": sum(each.is_false for each in verdicts if not each.clip.is_negative),
    }


def _show(name: str, verdicts: Sequence[Verdict]) -> None:
    rows = [
        (
            Path(each.clip.file).name,
            each.clip.begins_s,
            each.flame_s,
            each.smoke_s,
            each.seconds,
            "false" if each.is_false else "",
        )
        for each in verdicts
    ]
    head = ("clip", "flame from s", "flame called", "smoke called", "after s", "")
    print(f"{name}\n{table(head, rows)}\n")


def judge_model(
    found: Material, entry: ModelEntry, path: Path, fps: float = FPS
) -> dict[str, object]:
    """Print what a fire model and the rule are worth, and return the figures.

    Those without footage are None. Raises ModelError where the file is not the model.
    """
    model = load(entry, path, WEAK_SHARE)
    least = dict(zip(map(AlertKind, entry.classes), entry.scores, strict=True))
    report: dict[str, object] = dict.fromkeys(KEYS) | {"fire_model": entry.name}
    if found.clips:
        report |= _judge_clips(found, lambda: model, least, entry.name, fps)
    if found.fire_pictures:
        with found.losing():
            seen, took_ms = look(load(entry, path, WEAKEST), found.fire_pictures, SystemClock())
            report |= {**score(seen, entry.scores).figures(), "fire_ms": round(took_ms, 1)}
    return report


def judge_baselines(found: Material, fps: float = FPS) -> dict[str, object]:
    """Print what a model is held to, through the same rule, and return the figures by name."""
    if not found.clips:
        return {}
    plain = dict.fromkeys((AlertKind.FLAME, AlertKind.SMOKE), SCORE)
    baselines: dict[str, object] = {
        "colour_flicker": _judge_clips(found, ColourFlicker, plain, "colour and flicker", fps)
    }
    try:
        unlicensed = PyPiDetector()
    except ModelError as error:
        print(f"fire-detector: {error}\n")
    else:
        baselines["fire_detector"] = _judge_clips(
            found, lambda: unlicensed, plain, "PyPI fire-detector", fps
        )
    return baselines


def _judge_clips(
    found: Material,
    make: Callable[[], Seer],
    scores: Mapping[AlertKind, float],
    name: str,
    fps: float,
) -> dict[str, object]:
    verdicts = []
    for clip in found.clips:
        with found.losing():
            verdicts.append(play(found.folder / clip.file, clip, make(), scores, fps))
    if not verdicts:
        return {}
    _show(name, verdicts)
    return figures(verdicts)


def main() -> None:
    """Print the tables and the line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    add_data_argument(parser)
    parser.add_argument("--fps", type=float, default=FPS, help="looks a second")
    parser.add_argument("--baselines", action="store_true", help="only what the model is held to")
    given = parser.parse_args()
    try:
        found = material(given.data)
        report: dict[str, object] = {}
        if not given.baselines:
            report |= judge_model(found, *chosen(given), given.fps)
        report |= {"baselines": judge_baselines(found, given.fps), "lost": found.lost}
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    emit(sys.stdout, report)
    sys.exit(0 if found.judged else 2)


if __name__ == "__main__":
    main()

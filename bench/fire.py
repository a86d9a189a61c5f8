"""``make eval-fire``: the fire model and the whole fire rule over labelled pictures and clips.

Every clip is looked at as a box would, so many times a second of its own time, and its sightings go
through the rule with the settings that a camera has by default. The clips and pictures are those of
the assets folder (bench/fire_assets.toml; fire-8's held-out clips), or those of ``--data DIR``,
whose ``fire.toml`` says what is where (bench/fire_footage.py). Beside our model: a rule of colour
and flicker, and PyPI fire-detector where it is installed, through the same rule. The last line is
JSON; without footage it exits with 2.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bench.fire_baselines import SCORE, ColourFlicker, PyPiDetector, Seer
from bench.fire_footage import TRUTH, Clip, looks, pictures_in, read_truth
from bench.report import emit, table
from edge.alarm.fire_rule import FireRule
from edge.detect.child import fire_rows
from edge.detect.motion import Motion
from edge.detect.process import sighting
from edge.lookout import WEAK_SHARE
from edge.rule_config import FireSection
from models.errors import ModelError
from models.evaluation.fire import WEAKEST, add_model_arguments, chosen, look, pictures_of, score
from models.evaluation.labelled import Labelled
from models.fire import load
from models.store import assets_dir
from protocol.clock import SystemClock
from protocol.messages import AlertKind, AlertOp

FPS = 2.0
#: An alarm so much before the truth has flame or smoke is still of it: spans are read off by eye.
SLACK_S = 1.0
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_HERE = Path(__file__).resolve().parent


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
    """Return what the rule says of a clip. Raises ModelError where it can't be read."""
    rule = FireRule("clip", FireSection(id="fire"), min_scores=scores, interval_s=1 / fps)
    motion = Motion()
    called: dict[AlertKind, float] = {}
    for each in looks(path, fps):
        motion.see(each.luma)
        height, width = each.luma.shape
        seen = list(map(sighting, fire_rows(seer.infer(each.bgr), motion, width, height)))
        for said in rule.see(_BEGAN + timedelta(seconds=each.at_s), seen):
            if said.op is AlertOp.START:
                called.setdefault(said.kind, each.at_s)
    return Verdict(clip, called.get(AlertKind.FLAME), called.get(AlertKind.SMOKE))


def figures(verdicts: Sequence[Verdict]) -> dict[str, object]:
    """Return the counts of the last line. Pure."""
    fires = [each for each in verdicts if each.clip.flame]
    negatives = [each for each in verdicts if each.clip.is_negative]
    took = [each.seconds for each in fires if each.seconds is not None]
    return {
        "fire_clips": len(fires),
        "fire_clips_alarmed": len(took),
        "fire_seconds_max": round(max(took), 1) if took else None,
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


def _footage(data: Path | None) -> tuple[Path, Sequence[Clip], list[Labelled]]:
    if data is not None:
        footage = read_truth(data / TRUTH)
        return data, footage.clip, pictures_in(data, footage)
    assets = assets_dir(os.environ)
    if not assets.is_dir():
        raise ModelError("no footage: TANSHAO_ASSETS must name the assets folder, or --data one")
    return assets, read_truth(_HERE / "fire_assets.toml").clip, pictures_of(None)


def main() -> None:
    """Print the tables and the line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_model_arguments(parser)
    parser.add_argument("--data", type=Path, help="a folder with a fire.toml")
    parser.add_argument("--fps", type=float, default=FPS, help="looks a second")
    parser.add_argument("--baselines", action="store_true", help="only what the model is held to")
    given = parser.parse_args()
    try:
        report = _evaluate(given)
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    emit(sys.stdout, report)


def _evaluate(given: argparse.Namespace) -> dict[str, object]:
    folder, clips, pictures = _footage(given.data)
    report: dict[str, object] = {}

    def judge(
        make: Callable[[], Seer], scores: Mapping[AlertKind, float], name: str
    ) -> dict[str, object]:
        verdicts = [play(folder / each.file, each, make(), scores, given.fps) for each in clips]
        _show(name, verdicts)
        return figures(verdicts)

    if not given.baselines:
        entry, path = chosen(given)
        model = load(entry, path, WEAK_SHARE)
        least = dict(zip(map(AlertKind, entry.classes), entry.scores, strict=True))
        report |= {"model": entry.name, **judge(lambda: model, least, entry.name)}
        if pictures:
            seen, took_ms = look(load(entry, path, WEAKEST), pictures, SystemClock())
            report |= {**score(seen, entry.scores).figures(), "ms": round(took_ms, 1)}
    plain = dict.fromkeys((AlertKind.FLAME, AlertKind.SMOKE), SCORE)
    baselines: dict[str, object] = {
        "colour_flicker": judge(ColourFlicker, plain, "colour and flicker")
    }
    try:
        unlicensed = PyPiDetector()
    except ModelError as error:
        print(f"fire-detector: {error}\n")
    else:
        baselines["fire_detector"] = judge(lambda: unlicensed, plain, "PyPI fire-detector")
    return report | {"baselines": baselines}


if __name__ == "__main__":
    main()

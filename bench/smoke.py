"""``python -m bench.smoke``: the whole line, from an RTSP camera to an incident and its clip.

The demo village runs, its footage at true speed. What its cam-01 must raise is what the same rule
with the same settings raises on the ground truth. Each alert is signed and confirmed in Chromium by
keys. The rule is satisfied when it says so on the box; from there the times run to the commit in
the centre and to the pixels on the wall, all by this machine's clock.
"""

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bench import delivery, report
from bench.aftermath import Aftermath, aftermath
from bench.centre import Alert
from bench.delivery import Delivery
from bench.evidence import Examiner, Looked
from bench.expected import expected
from bench.judge import BY_KILLS, CONFIRMED, Row, Seen, Verdict, from_epoch_ms, judge
from bench.kills import Victim, plan
from bench.line import Line
from bench.recording import Span
from bench.stage import CAMERA_ID, STAGE_FAILURES, Stage
from bench.truth import Gathering, Truth, load, quiet_from
from bench.village import is_steady
from bench.watchman import Watchman
from edge.rule_config import GatheringSection
from protocol.clock import SystemClock

#: How old the newest recorded picture that the box tells of may be.
_GROWING_S = 5.0

#: After the last turn: what an alert's end, and its clip's tail and upload, may take.
_SETTLE_S = 15.0
_EVIDENCE_LIMIT_S = 120.0

_SHORTEST_SHARE = 0.9
#: A clip across a restart of the edge lacks what the restart cost.
_SHORTEST_SHARE_KILLED = 0.6


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    loops: int
    model: str
    kill: bool


@dataclass(frozen=True, slots=True)
class Programme:
    """When to watch, or was watched, what must happen meanwhile, and what may come after it."""

    window: Span
    wanted: tuple[Gathering, ...]
    later: tuple[Gathering, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to."""

    verdict: Verdict
    looked: tuple[Looked, ...]
    delivery: Delivery
    aftermath: Aftermath
    detector: Mapping[str, object]
    steady: bool
    unanswered: int
    first_picture_s: float
    model: str | None

    @property
    def passed(self) -> bool:
        """Whether everything is as it must be."""
        return (
            self.verdict.passed and self.delivery.whole and self.aftermath.unbroken and self.steady
        )


def programme(
    truth: Truth, rule: GatheringSection, began: datetime, ready: datetime, loops: int
) -> Programme:
    """Return what to wait for from ``ready`` on, when the camera first began at ``began``: pure.

    The window begins where nothing goes on and is ``loops`` turns long, longer where a gathering
    is still going on at its end.
    """
    length = timedelta(seconds=truth.length_s)
    count = int((ready - began) / length) + loops + 3
    turns = [began + turn * length for turn in range(count)]
    every = expected(truth, rule, turns, turns[-1] + length)
    since = quiet_from(every, ready, hold_s=rule.hold_s)
    until = since + loops * length
    wanted = tuple(each for each in every if since <= each.started_at < until)
    ends = [each.ended_at for each in wanted if each.ended_at is not None]
    later = tuple(each for each in every if each.started_at >= until)
    return Programme(Span(since, max([until, *ends])), wanted, later)


def run(options: Options, folder: Path) -> Outcome:
    """Run the village and return what came of it. Raises one of the failures above."""
    clock, truth = SystemClock(), load()
    with Stage(folder, options.model, clock) as stage:
        print(f"first picture after {stage.first_picture_s:.1f} s", flush=True)
        mount = f"/{CAMERA_ID}/main"
        began = stage.village.turns(mount)[0]
        todo = programme(truth, stage.scene.rule, began, clock.now(), options.loops)
        _announce(truth, todo)
        kills = plan([each.started_at for each in todo.wanted]) if options.kill else ()
        line = Line(
            stage.centre,
            stage.browser,
            Watchman(stage.browser, stage.pin, clock),
            stage.village.pids,
            clock,
        )
        settle = timedelta(seconds=_SETTLE_S)
        end = max([todo.window.end, *(kill.at for kill in kills)]) + settle
        line.until(end, kills)
        watched = Span(todo.window.start, clock.now() - timedelta(seconds=_GROWING_S))
        line.until_true(lambda: _settled(line), clock.now() + timedelta(seconds=_EVIDENCE_LIMIT_S))
        steady = is_steady(stage.village.turns(mount), truth.length_s)
        return _outcome(stage, line, replace(todo, window=watched), options, steady)


def _announce(truth: Truth, todo: Programme) -> None:
    print(f"truth: {truth.source}; {len(todo.wanted)} gatherings expected at", flush=True)
    for gathering in todo.wanted:
        print(f"  {gathering.started_at:%H:%M:%S.%f} UTC")
    print(f"watching until {todo.window.end:%H:%M:%S} UTC …", flush=True)


def _settled(line: Line) -> bool:
    """Whether every alert is confirmed and its evidence has come."""
    return bool(line.alerts) and all(
        alert.state == CONFIRMED
        and {piece.kind for piece in alert.evidence} >= {"snapshot", "clip"}
        for alert in line.alerts.values()
        if alert.kind == "gathering"
    )


def _outcome(stage: Stage, line: Line, todo: Programme, options: Options, steady: bool) -> Outcome:
    line.look()
    examiner = Examiner(
        stage.centre,
        stage.browser,
        shortest_share=_SHORTEST_SHARE_KILLED if options.kill else _SHORTEST_SHARE,
    )
    judged = [
        alert
        for alert in line.alerts.values()
        if alert.kind == "gathering"
        and alert.started_at >= todo.window.start - timedelta(seconds=5)
    ]
    looked = tuple(examiner.look(alert) for alert in judged)
    received = delivery.read(
        stage.village.box_db, stage.village.centre_db, stage.scene.uid.partition(".")[0]
    )
    seen = Seen(
        alerts=tuple(line.alerts.values()),
        fired=received.fired,
        shown={name: from_epoch_ms(at) for name, at in stage.browser.shown().items()},
        incidents={
            alert.alert_id: stage.centre.incident(alert.incident_id)
            for alert in judged
            if alert.incident_id is not None
        },
        clips=frozenset(each.alert_id for each in looked if each.clip_fault is None),
        pictures=frozenset(each.alert_id for each in looked if each.picture_fault is None),
    )
    return Outcome(
        verdict=judge(
            [each.started_at for each in todo.wanted],
            seen,
            stage.operator,
            since=todo.window.start,
            later=[each.started_at for each in todo.later],
            forgiven=BY_KILLS if options.kill else (),
        ),
        looked=looked,
        delivery=received,
        aftermath=aftermath(stage, line.killed, todo.window),
        detector=stage.box.health()["components"]["detector"]["figures"],
        steady=steady,
        unanswered=line.unanswered,
        first_picture_s=stage.first_picture_s,
        model=stage.model,
    )


def figures(outcome: Outcome, options: Options) -> dict[str, object]:
    """Return the figures of the last line."""
    result = outcome.verdict.figures() | {
        "passed": outcome.passed,
        "first_picture_s": report.rounded(outcome.first_picture_s),
        "model": outcome.model,
        "loops": options.loops,
        "recording_breaks": outcome.aftermath.breaks,
        "sequences": outcome.delivery.last_sent,
        "sequence_holes": len(outcome.delivery.holes),
        "alerts_lost": len(outcome.delivery.lost),
        "alerts_doubled": len(outcome.delivery.doubled) + len(outcome.delivery.invented),
        "outbox_waiting": outcome.delivery.waiting,
        "quarantined": outcome.delivery.quarantined,
        "camera_steady": outcome.steady,
    }
    if options.kill:
        after = outcome.aftermath
        result |= {
            "kills": len(after.killed),
            "lost_received_s": report.rounded(after.lost_received_s, 2),
            "edge_restart_gap_s": report.rounded(after.gap_s(Victim.EDGE), 2),
            "whole_edge_restart_gap_s": report.rounded(after.gap_s(Victim.WHOLE_EDGE), 2),
            "timeline_ahead_s": report.rounded(after.timeline_ahead_s, 2),
            "unanswered": outcome.unanswered,
        }
    return result


def show(outcome: Outcome) -> None:
    """Print the tables for people."""
    head = ("expected", "off s", "frame→rule ms", "rule→centre ms", "rule→wall ms")
    rows = [
        (
            f"{row.expected_at:%H:%M:%S}",
            row.off_s,
            row.frame_to_rule_ms,
            row.rule_to_centre_ms,
            row.rule_to_wall_ms,
            row.signed,
            row.incident,
            row.picture,
            row.clip,
        )
        for row in outcome.verdict.rows
    ]
    print("off: from the truth's start to the alert's; rule: when the box wrote the alert;")
    print("centre: its transaction; wall: the animation frame after it was painted")
    print(report.table((*head, "signed", "incident", "picture", "clip"), rows))
    for alert in outcome.verdict.false:
        near = min((_off_s(alert, row) for row in outcome.verdict.rows), key=abs, default=None)
        beside = "" if near is None else f", {near:+.1f} s from the nearest expected"
        print(f"FALSE {alert.kind} at {alert.started_at:%H:%M:%S} on {alert.camera_uid}{beside}")
    for each in outcome.looked:
        for what, fault in (("picture", each.picture_fault), ("clip", each.clip_fault)):
            if fault is not None:
                print(f"{what} of {each.alert_id}: {fault}")
    print("detector:", ", ".join(f"{name} {value}" for name, value in outcome.detector.items()))
    _show_aftermath(outcome.aftermath)


def _off_s(alert: Alert, row: Row) -> float:
    return (alert.started_at - row.expected_at).total_seconds()


def _show_aftermath(after: Aftermath) -> None:
    print(
        report.table(
            ("recording", "recorded s", "unexplained breaks"),
            [
                (each.camera_id, round(each.recorded_s, 1), len(each.broken))
                for each in after.cameras
            ],
        )
    )
    for camera in after.cameras:
        for span in camera.broken:
            print(f"BREAK {camera.camera_id} {span.start:%H:%M:%S.%f} {span.length_s:.2f} s")
    rows = [
        (
            camera.camera_id,
            f"{each.killed_at:%H:%M:%S}",
            each.lost_received_s,
            each.gap_s,
            each.ahead_s,
        )
        for camera in after.cameras
        for each in camera.cuts
    ]
    if rows:
        print(
            report.table(
                ("edge killed", "at", "lost of what had come s", "gap s", "timeline ahead s"), rows
            )
        )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print, return the exit status: 0 only if everything is as it must be."""
    parser = argparse.ArgumentParser(prog="bench.smoke", description=__doc__)
    parser.add_argument("--loops", type=int, default=2, help="turns of the clip to judge (2)")
    parser.add_argument("--model", default="auto", help="the person model, as in the manifest")
    parser.add_argument("--kill", action="store_true", help="kill -9 every part in every turn")
    parser.add_argument("--keep", type=Path, help="a new folder that is kept for looking at")
    given = parser.parse_args(arguments)
    options = Options(given.loops, given.model, given.kill)
    with tempfile.TemporaryDirectory(prefix="bench-smoke-") as name:
        folder = given.keep or Path(name) / "village"
        try:
            outcome = run(options, folder)
        except STAGE_FAILURES as error:
            print(f"FAILED: {error}")
            report.emit(sys.stdout, {"passed": False, "error": str(error)})
            return 1
    show(outcome)
    report.emit(sys.stdout, figures(outcome, options))
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())

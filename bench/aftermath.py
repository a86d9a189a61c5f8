"""What the recordings lack after a run, and which kills explain it."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.kills import RECORDERS, Victim
from bench.line import Killed
from bench.recording import Cut, Span, cut, holes, unexplained
from bench.stage import Stage

#: What a ``kill -9`` of the edge may cost of what had come.
MAX_LOST_S = 1.0


@dataclass(frozen=True, slots=True)
class CameraAftermath:
    """One camera's recording over the whole run: stretches that no kill of the edge explains."""

    camera_id: str
    recorded_s: float
    broken: tuple[Span, ...]
    cuts: tuple[Cut, ...]


@dataclass(frozen=True, slots=True)
class Aftermath:
    """All cameras' recordings, and what was killed."""

    cameras: tuple[CameraAftermath, ...]
    killed: tuple[Killed, ...]

    @property
    def lost_received_s(self) -> float | None:
        """The most that a kill of the edge cost of what had come; None: it was not killed."""
        return max((each.lost_received_s for each in self._cuts()), default=None)

    def gap_s(self, victim: Victim) -> float | None:
        """Return the longest stretch without a recording around a kill of ``victim``."""
        hits = {each.at for each in self.killed if each.victim is victim}
        gaps = (each.gap_s for each in self._cuts() if each.killed_at in hits)
        return max(gaps, default=None)

    @property
    def timeline_ahead_s(self) -> float | None:
        """How far a camera's timeline was seen to be ahead of the clock, at least."""
        return max((each.ahead_s for each in self._cuts()), default=None)

    @property
    def breaks(self) -> int:
        """How many stretches are missing that nothing explains."""
        return sum(len(camera.broken) for camera in self.cameras)

    @property
    def unbroken(self) -> bool:
        """Whether recordings lack only what the edge's own restarts cost, and little of that.

        Every kill must have hit something, and every kill of the edge must be seen in each camera's
        recording, or this would prove nothing.
        """
        edge_kills = sum(each.victim in RECORDERS for each in self.killed)
        all_hit = all(each.processes > 0 for each in self.killed)
        all_cut = all(len(camera.cuts) == edge_kills for camera in self.cameras)
        little = (self.lost_received_s or 0.0) <= MAX_LOST_S
        return bool(self.cameras) and self.breaks == 0 and all_hit and all_cut and little

    def _cuts(self) -> list[Cut]:
        return [each for camera in self.cameras for each in camera.cuts]


def aftermath(stage: Stage, killed: Sequence[Killed], window: Span) -> Aftermath:
    """Read the timelines of all cameras over ``window`` and judge them."""
    return Aftermath(
        tuple(
            judge_camera(camera.id, stage.box.recorded(camera.id, window), killed, window)
            for camera in stage.village.edge_config().cameras
        ),
        tuple(killed),
    )


def judge_camera(
    camera_id: str, recorded: Sequence[Span], killed: Sequence[Killed], window: Span
) -> CameraAftermath:
    """Return what is missing of one camera: pure."""
    edge_kills = [each.at for each in killed if each.victim in RECORDERS]
    missing = holes(recorded, window)
    cuts = (cut(recorded, at) for at in edge_kills)
    return CameraAftermath(
        camera_id,
        window.length_s - sum(hole.length_s for hole in missing),
        unexplained(missing, edge_kills),
        tuple(each for each in cuts if each is not None),
    )

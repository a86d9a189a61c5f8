"""Which models the box runs, and why not better ones."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.alarm.fire_rule import FIRE_KINDS
from edge.config import CameraSection, DetectSection
from edge.detect.feed import Task
from models.errors import ModelError
from models.store import ModelStore, Selection
from protocol.messages import AlertKind

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Choice:
    """The model of each task that a rule needs, or why there is none."""

    selections: Mapping[Task, Selection]
    refusals: Mapping[Task, str]

    def get(self, task: Task) -> Selection | None:
        """Return the task's model, or None where it is not needed or was refused."""
        return self.selections.get(task)

    def name(self, task: Task) -> str | None:
        """Return the task's model and its version."""
        selection = self.get(task)
        return None if selection is None else f"{selection.entry.name}/{selection.entry.version}"

    def fire_scores(self) -> dict[AlertKind, float] | None:
        """Return the fire model's own score of each kind, or None where there is no fire model.

        A user's model may know other things too, or one of the kinds alone.
        """
        selection = self.get(Task.FIRE)
        if selection is None:
            return None
        scores = dict(zip(selection.entry.classes, selection.entry.scores, strict=True))
        return {kind: scores.get(kind.value, 1.0) for kind in FIRE_KINDS}

    @property
    def names(self) -> str | None:
        """Return all models' names, or None where there are none."""
        return ", ".join(filter(None, map(self.name, Task))) or None

    @property
    def refusal(self) -> str | None:
        """Why something is not looked for, or None."""
        return "; ".join(self.refusals.values()) or None

    @property
    def fallback(self) -> str | None:
        """Why a model is not the best of its task, or None where all are."""
        return "; ".join(each.reason for each in self.selections.values() if each.fallback) or None


def choose(detect: DetectSection, cameras: Sequence[CameraSection]) -> Choice:
    """Choose, and check, the models that the cameras' rules need. Reads the files whole."""
    named = {
        Task.PEOPLE: detect.model if any(camera.gatherings for camera in cameras) else None,
        Task.FIRE: detect.fire_model if any(camera.fires for camera in cameras) else None,
    }
    store = ModelStore(detect.model_dirs)
    selections, refusals = {}, {}
    for task, name in named.items():
        if name is None:
            continue
        try:
            selection = store.select(name, task.value)
        except ModelError as error:
            refusals[task] = str(error)
            log.warning("detector.no_model", extra={"task": task.value, "error": str(error)})
            continue
        selections[task] = selection
        write = log.warning if selection.fallback else log.info
        write("detector.model", extra={"model": selection.entry.name, "why": selection.reason})
    return Choice(selections, refusals)

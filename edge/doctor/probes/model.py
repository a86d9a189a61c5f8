"""Looking the detector's models up as the detector does."""

from importlib.util import find_spec

from edge.config import DetectSection
from edge.doctor.model import ModelFacts
from models.errors import ModelError
from models.runtime import Runtime
from models.store import AUTO, ModelStore, check


def look_at(detect: DetectSection, store: ModelStore) -> list[ModelFacts]:
    """Return what the store gives for people and for fire; reads the files whole."""
    return [
        _of_task(store, detect.model, "person"),
        _of_task(store, detect.fire_model, "fire"),
    ]


def missing_runtime(detect: DetectSection) -> str:
    """Return the configured runtime where its package is not installed, else nothing."""
    is_there = detect.runtime is not Runtime.OPENVINO or find_spec("openvino") is not None
    return "" if is_there else detect.runtime.value


def _of_task(store: ModelStore, wanted: str, task: str) -> ModelFacts:
    try:
        selection = store.select(wanted, task)
    except ModelError as error:
        return ModelFacts(
            task,
            wanted,
            None,
            is_fallback=False,
            altered=_altered(store, wanted, task),
            reason=str(error),
        )
    altered = _altered(store, wanted, task) if selection.fallback else ()
    return ModelFacts(
        task, wanted, selection.entry.name, selection.fallback, altered, selection.reason
    )


def _altered(store: ModelStore, wanted: str, task: str) -> tuple[str, ...]:
    """Return the files that have the name of a wanted model, and other bytes."""
    entries = [
        entry for entry in store.entries if entry.task == task and wanted in (AUTO, entry.name)
    ]
    return tuple(
        entry.file
        for entry in entries
        for folder in store.dirs
        if (folder / entry.file).is_file() and check(folder / entry.file, entry) is not None
    )

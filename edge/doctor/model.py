"""Whether the detector has the model that it is to run. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edge.doctor.finding import Finding, Kind


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What the model store gives for a task.

    ``name`` is None where it gives nothing. ``altered`` are files of a model's name whose bytes are
    not those of the manifest, by their names; a better one of them may be why ``is_fallback``.
    """

    task: str
    wanted: str
    name: str | None
    is_fallback: bool
    altered: tuple[str, ...]
    reason: str


def judge(
    models: Iterable[ModelFacts], refused: Iterable[str], missing_runtime: str
) -> Iterator[Finding]:
    """Yield what is to be said of the models.

    ``refused`` says what is wrong with manifests of the user's own; ``missing_runtime`` is the
    configured runtime where its package is not installed, else empty.
    """
    for problem in refused:
        yield Finding(Kind.MODEL_MANIFEST_REFUSED, values={"detail": problem})
    if missing_runtime:
        yield Finding(Kind.MODEL_RUNTIME_MISSING, values={"runtime": missing_runtime})
    for facts in models:
        values = {
            "task": facts.task,
            "wanted": facts.wanted,
            "name": facts.name or "",
            "detail": facts.reason,
        }
        for name in facts.altered:
            yield Finding(Kind.MODEL_ALTERED, name, {**values, "file": name})
        if facts.name is not None:
            kind = Kind.MODEL_FALLBACK if facts.is_fallback else Kind.MODEL_FINE
            yield Finding(kind, values=values)
        elif not facts.altered:
            yield Finding(Kind.MODEL_MISSING, values=values)

"""A training that can be stopped and taken up again."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from models.errors import ModelError
from models.training.yolo.library import open_network


@dataclass(frozen=True, slots=True)
class Course:
    """What a training is. ``data`` is ultralytics' YAML of a data set in YOLO's form.

    ``weights`` is what it begins with: a file, a name that ultralytics can download, or an
    architecture (``yolo11n.yaml``), which begins with chance.
    """

    data: str
    weights: str
    epochs: int
    imgsz: int
    batch: int


def train(course: Course, out: Path, device: str | None = None, workers: int = 0) -> Path:
    """Train to the end and return the best weights, ``OUT/weights/best.pt``.

    Stopped and called again it goes on after the last whole epoch; a training that has ended is
    left as it is. Raises ModelError where OUT holds a training of another course, or
    ultralytics fails.
    """
    if (out / "weights" / "last.pt").is_file():
        _go_on(course, out, device)
    else:
        _run(
            open_network(course.weights),
            out,
            data=course.data,
            epochs=course.epochs,
            imgsz=course.imgsz,
            batch=course.batch,
            device=device,
            workers=workers,
            project=str(out.resolve().parent),
            name=out.name,
            exist_ok=True,
            plots=False,
        )
    best = out / "weights" / "best.pt"
    if not best.is_file():
        raise ModelError(f"{best}: must be there after a training")
    return best


def _go_on(course: Course, out: Path, device: str | None) -> None:
    network = _left_off(out / "weights")
    begun = network.ckpt.get("train_args", {})
    for name, value in asdict(course).items():
        # A training that was taken up again names its own last.pt as what it began with.
        if name != "weights" and begun.get(name) != value:
            raise ModelError(
                f"{out}: holds a training with '{name}' {begun.get(name)!r}, not "
                f"{value!r}; take another folder"
            )
    if network.ckpt.get("epoch", -1) >= 0:  # -1 once it has ended; ultralytics would begin anew
        _run(network, out, resume=True, device=device)


def _left_off(weights: Path) -> Any:  # noqa: ANN401 - ultralytics has no types
    """Return the network of the last epoch, or of the best where a power cut spoilt the last.

    ultralytics writes last.pt over the one before it.
    """
    try:
        return open_network(str(weights / "last.pt"))
    except ModelError:
        best = weights / "best.pt"
        if not best.is_file():
            raise
        return open_network(str(best))


def _run(network: Any, out: Path, **options: object) -> None:  # noqa: ANN401 - ultralytics has no types
    try:
        network.train(**options)
    except Exception as error:
        raise ModelError(f"{out}: the training failed: {error}") from error

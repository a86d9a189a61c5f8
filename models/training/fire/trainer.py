"""Training the fire network: one epoch after another, to be gone on with after any of them."""

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader

from models.errors import ModelError
from models.evaluation.labelled import Labelled
from models.training.fire.examples import Examples
from models.training.fire.network import FireNetwork
from protocol.clock import Clock, SystemClock

CHECKPOINT, BEST = "checkpoint.pt", "best.pt"
#: The mean is over so many of the surest cells: a fire is often three cells of six hundred.
_TOP_CELLS = 4
_FOCUS = 2.0

#: Told after every batch: how many are done, of how many, and the mean loss so far.
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What decides of a training. The same plan, list and machine give the same weights."""

    epochs: int
    batch: int = 16
    seed: int = 20261126
    rate: float = 1e-3
    backbone_rate: float = 2e-4
    decay: float = 1e-2
    ema: float = 0.998
    picture_weight: float = 0.5
    frozen: int = 3  # blocks, and the stem, that stay as they came: most of the time is theirs
    bf16: bool = False
    data: str = ""  # labelled.digest of the list


class Trainer:
    """A network, its optimiser and its moving average, on disk after every epoch.

    Made anew it goes on from the checkpoint in ``folder`` where there is one; that must be of the
    same plan, or it raises ModelError.
    """

    def __init__(
        self,
        plan: Plan,
        network: FireNetwork,
        folder: Path,
        device: str,
        workers: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._plan, self._folder, self._workers = plan, folder, workers
        self._clock = clock or SystemClock()
        self._device = torch.device(device)
        network.freeze(plan.frozen)
        # channels_last: a third less time on a CPU (measured, PyTorch 2.13).
        self._network = network.to(self._device, memory_format=torch.channels_last)
        self.average = torch.optim.swa_utils.AveragedModel(
            self._network, avg_fn=self._ema, use_buffers=True
        )
        groups = [
            {"params": [p for p in network.backbone() if p.requires_grad]},
            {"params": network.fresh()},
        ]
        self._optimiser = torch.optim.AdamW(groups, weight_decay=plan.decay)
        self._rates = [plan.backbone_rate, plan.rate]
        self._steps = 0
        self.epoch = self.best_epoch = 0
        self.best_worth = -1.0
        self._resume()

    def run_epoch(self, pictures: Sequence[Labelled], progress: Progress) -> dict[str, float]:
        """Train one epoch, write the checkpoint, and return its figures."""
        examples = Examples(pictures, self._plan.seed, self.epoch, self._plan.batch)
        loader = DataLoader(examples, self._plan.batch, num_workers=self._workers)
        torch.manual_seed(self._plan.seed + self.epoch)
        self._network.train()
        began_ns, total = self._clock.monotonic_ns(), 0.0
        for number, batch in enumerate(loader, 1):
            self._set_rate(self.epoch + (number - 1) / len(loader))
            total += self._step(*(part.to(self._device) for part in batch))
            progress(number, len(loader), total / number)
        self.epoch += 1
        self._save()
        took_s = (self._clock.monotonic_ns() - began_ns) / 1e9
        return {
            "epoch": self.epoch,
            "loss": total / len(loader),
            "seconds": took_s,
            "ms_per_picture": 1000 * took_s / len(pictures),
        }

    def keep_if_best(self, worth: float) -> bool:
        """Keep the average on disk where it is worth more than that of every epoch before."""
        if worth <= self.best_worth:
            return False
        self.best_worth, self.best_epoch = worth, self.epoch
        state = {"worth": worth, "epoch": self.epoch, "average": self.average.state_dict()}
        self._write(state, BEST)
        return True

    def take_best(self) -> None:
        """Make the average that of the best epoch."""
        state = torch.load(self._folder / BEST, map_location=self._device, weights_only=True)
        self.average.load_state_dict(state["average"])

    def _step(self, inputs: Tensor, target: Tensor, weight: Tensor) -> float:
        with torch.autocast(self._device.type, torch.bfloat16, enabled=self._plan.bf16):
            logits = self._network(inputs.to(memory_format=torch.channels_last)).float()
        loss = cell_loss(logits, target, weight)
        loss = loss + self._plan.picture_weight * picture_loss(logits, target)
        if not torch.isfinite(loss):
            raise ModelError("the loss must be a number: lower the rate")
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimiser.step()
        self._steps += 1
        self.average.update_parameters(self._network)
        return float(loss.detach())

    def _ema(self, average: Tensor, new: Tensor, _count: object) -> Tensor:
        if not average.is_floating_point():
            return new
        # Early on the average must forget the beginning faster than that.
        keep = min(self._plan.ema, (1 + self._steps) / (10 + self._steps))
        return average * keep + new * (1 - keep)

    def _set_rate(self, at: float) -> None:
        """Warm up over one epoch (or a tenth of few), then a cosine down to a hundredth."""
        warm = min(1.0, self._plan.epochs / 10)
        rest = min(1.0, max(0.0, at - warm) / max(self._plan.epochs - warm, 1e-6))
        share = min(1.0, (at + 0.01) / warm) * (0.01 + 0.99 * (1 + math.cos(math.pi * rest)) / 2)
        for group, rate in zip(self._optimiser.param_groups, self._rates, strict=True):
            group["lr"] = rate * share

    # -- the checkpoint ----------------------------------------------------------------------------

    def _save(self) -> None:
        state = {
            "plan": json.dumps(asdict(self._plan), sort_keys=True),
            "epoch": self.epoch,
            "steps": self._steps,
            "network": self._network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        self._write(state, CHECKPOINT)

    def _write(self, state: dict[str, object], name: str) -> None:
        part = self._folder / f".{name}.part"
        torch.save(state, part)
        os.replace(part, self._folder / name)  # noqa: PTH105 - one call, atomic

    def _resume(self) -> None:
        path = self._folder / CHECKPOINT
        if not path.is_file():
            return
        state = torch.load(path, map_location=self._device, weights_only=True)
        plan = json.dumps(asdict(self._plan), sort_keys=True)
        if state["plan"] != plan:
            raise ModelError(f"{path}: must be of the same plan: {state['plan']}, not {plan}")
        self.epoch, self._steps = state["epoch"], state["steps"]
        self._network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        best = self._folder / BEST
        if best.is_file():
            kept = torch.load(best, map_location=self._device, weights_only=True)
            self.best_worth, self.best_epoch = kept["worth"], kept["epoch"]


def cell_loss(logits: Tensor, target: Tensor, weight: Tensor) -> Tensor:
    """Return the focal loss of the cells that count, over the cells that are something."""
    plain = functional.binary_cross_entropy_with_logits(logits, target, reduction="none")
    chance = torch.sigmoid(logits)
    wrong = target * (1 - chance) + (1 - target) * chance
    focal: Tensor = (plain * wrong**_FOCUS * weight).sum() / target.sum().clamp(min=32)
    return focal


def picture_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Return the loss of whole pictures: its surest cells say whether a class is there at all."""
    cells = logits.flatten(2)
    surest = cells.topk(min(_TOP_CELLS, cells.shape[2]), dim=2).values.mean(dim=2)
    there = target.flatten(2).amax(dim=2)
    return functional.binary_cross_entropy_with_logits(surest, there)

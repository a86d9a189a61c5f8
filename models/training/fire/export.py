"""The trained network as the ONNX files that boxes run, held against the network they come from."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import Tensor, nn

from models.errors import ModelError
from models.export.half import store_half
from models.training.fire.network import FireNetwork

OPSET = 17
#: The most that a probability may differ from the network's own, on noise and on real pictures.
MAX_FULL, MAX_HALF = 1e-4, 2e-2
_SIZES = ((256, 448), (384, 384))


class _Heat(nn.Module):
    def __init__(self, network: FireNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, pictures: Tensor) -> Tensor:
        return torch.sigmoid(self.network(pictures))


def export(network: FireNetwork, folder: Path, name: str = "fire") -> dict[str, object]:
    """Write NAME.onnx (FP32) and NAME_half.onnx (weights stored as FP16), and check both.

    Input ``pictures`` [1, 3, h, w], output ``heat`` [1, classes, h/16, w/16] of probabilities.
    Returns bytes, SHA-256 and the greatest difference of each. Raises ModelError where one differs
    from the network by more than it may: such a file is left for looking at, and not to be used.
    """
    heat = _Heat(network.cpu()).eval()  # the exporter gives a module back in the mode it had
    full = folder / f"{name}.onnx"
    with warnings.catch_warnings():
        # The exporter that takes over from this one needs one more package (onnxscript).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            heat,
            (torch.zeros(1, 3, *_SIZES[0]),),
            str(full),
            input_names=["pictures"],
            output_names=["heat"],
            dynamic_axes={"pictures": {2: "height", 3: "width"}, "heat": {2: "rows", 3: "columns"}},
            opset_version=OPSET,
            dynamo=False,
        )
    model = onnx.load(full)
    model.doc_string = ""
    for node in model.graph.node:
        node.doc_string = ""
    full.write_bytes(model.SerializeToString(deterministic=True))
    store_half(model)
    onnx.checker.check_model(model, full_check=True)
    half = folder / f"{name}_half.onnx"
    half.write_bytes(model.SerializeToString(deterministic=True))
    return {
        path.name: _checked(heat, path, most) for path, most in ((full, MAX_FULL), (half, MAX_HALF))
    }


def _checked(heat: nn.Module, path: Path, most: float) -> dict[str, object]:
    content = path.read_bytes()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(1)
    worst = 0.0
    for height, width in _SIZES:
        given = rng.uniform(-1, 1, (1, 3, height, width)).astype(np.float32)
        with torch.no_grad():
            own = heat(torch.from_numpy(given)).numpy()
        worst = max(worst, float(np.abs(session.run(None, {"pictures": given})[0] - own).max()))
    if worst > most:
        raise ModelError(f"{path}: must differ by at most {most} from the network, not {worst}")
    return {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "difference": worst,
    }

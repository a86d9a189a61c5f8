"""Running a network: one thread an inference, errors as ModelError."""

from pathlib import Path
from typing import Protocol

import numpy as np
import onnxruntime

from models.boxes import Floats, Picture
from models.errors import ModelError
from models.manifest import ModelEntry, ModelInput
from models.openvino_session import OpenVinoSession
from models.runtime import Runtime


class Session(Protocol):
    """The network of a model file. Not for use by two threads at a time."""

    def run(self, entry: ModelEntry, tensor: Floats) -> list[Floats]:
        """Return all outputs, in the file's order. Raises ModelError that names the model."""


def open_session(path: Path, runtime: Runtime = Runtime.ONNXRUNTIME) -> Session:
    """Load the file. Raises ModelError where it, or the runtime, does not run here."""
    if runtime is Runtime.OPENVINO:
        return OpenVinoSession(path)
    return OnnxSession(path)


class OnnxSession:
    """A network that onnxruntime runs on the processor."""

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelError where the file is no network that runs here."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Without it the allocator keeps the largest of every size it ever saw; pictures vary.
        options.add_session_config_entry("session.use_device_allocator_for_initializers", "1")
        try:
            self.network = onnxruntime.InferenceSession(
                str(path), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:
            raise ModelError(f"{path}: does not load: {error}") from error
        self._input = self.network.get_inputs()[0].name

    def run(self, entry: ModelEntry, tensor: Floats) -> list[Floats]:
        """Return all outputs. Raises ModelError that names the model."""
        try:
            outputs: list[Floats] = self.network.run(None, {self._input: tensor})
        except Exception as error:
            raise ModelError(f"model '{entry.name}': does not run: {error}") from error
        return outputs


def normalise(picture: Picture, spec: ModelInput) -> Floats:
    """Return the network's input. A channel at a time: five times as fast as all at once."""
    height, width = picture.shape[:2]
    planar = spec.layout == "NCHW"
    values = np.empty((3, height, width) if planar else (height, width, 3), np.float32)
    for index in range(3):
        channel = picture[:, :, 2 - index if spec.colour == "RGB" else index]
        out = values[index] if planar else values[:, :, index]
        np.subtract(channel, np.float32(spec.mean[index]), out=out, dtype=np.float32)
        out *= np.float32(1) / np.float32(spec.std[index])
    return values[None]

"""Running a network with OpenVINO, an optional package: on Intel's graphics where there are any."""

import logging
from pathlib import Path
from typing import Any

import numpy as np

from models.boxes import Floats
from models.errors import ModelError
from models.manifest import ModelEntry

log = logging.getLogger(__name__)

#: Results must be those of the other runtime: no bfloat16 on processors that have it.
_PROCESSOR = {"INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "INFERENCE_PRECISION_HINT": "f32"}
_GRAPHICS = {"PERFORMANCE_HINT": "LATENCY"}


class OpenVinoSession:
    """A network that OpenVINO runs. Not for use by two threads at a time.

    ``device`` is where: graphics where OpenVINO names some and the network can be made ready for
    them, else one thread of the processor.
    """

    def __init__(self, path: Path) -> None:
        """Load it. Raises ModelError where the package is missing or the file does not load."""
        try:
            import openvino  # noqa: PLC0415 - optional, and a second to load
        except ImportError as error:
            raise ModelError(
                "runtime 'openvino': the package openvino must be installed "
                f"(pip install 'tanshao[openvino]'): {error}"
            ) from error
        try:
            core = openvino.Core()
            network = core.read_model(str(path))
            self.device, self._compiled = _compile(core, network)
        except Exception as error:
            raise ModelError(f"{path}: does not load: {error}") from error

    def run(self, entry: ModelEntry, tensor: Floats) -> list[Floats]:
        """Return all outputs. Raises ModelError that names the model."""
        try:
            found = self._compiled([tensor])
            return [np.array(found[port]) for port in self._compiled.outputs]
        except Exception as error:
            raise ModelError(f"model '{entry.name}': does not run: {error}") from error


def _compile(core: Any, network: Any) -> tuple[str, Any]:  # noqa: ANN401 - of no known type
    """Return the device and the network made ready for it."""
    graphics = [device for device in core.available_devices if device.startswith("GPU")]
    for device in graphics[:1]:
        try:
            return device, core.compile_model(network, device, _GRAPHICS)
        except Exception as error:  # noqa: BLE001 - a driver's fault; the processor can do it too
            log.warning("model.no_graphics", extra={"device": device, "error": str(error)})
    return "CPU", core.compile_model(network, "CPU", _PROCESSOR)

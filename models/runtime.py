"""What can run a network."""

from enum import StrEnum


class Runtime(StrEnum):
    """A library that runs ONNX files, in the words of the configuration."""

    ONNXRUNTIME = "onnxruntime"  # comes with the program; the processor alone
    OPENVINO = "openvino"  # an optional package; Intel's graphics where there are any

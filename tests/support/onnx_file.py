"""Writing a small ONNX file without the onnx package: just enough protobuf for a few nodes."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

_VARINT, _BYTES = 0, 2
_FLOAT, _INTS = 1, 7


@dataclass(frozen=True)
class Node:
    op: str
    inputs: Sequence[str]
    outputs: Sequence[str]
    ints: dict[str, Sequence[int]]


def model(
    nodes: Sequence[Node],
    weights: dict[str, np.ndarray],
    inputs: dict[str, Sequence[int | str]],
    outputs: dict[str, Sequence[int | str]],
) -> bytes:
    """Return a model of opset 17; a text among the sizes of a shape is one that may vary."""
    graph = b"".join(_field(1, _node(node)) for node in nodes) + _field(2, b"test")
    graph += b"".join(_field(5, _tensor(name, array)) for name, array in weights.items())
    graph += b"".join(_field(11, _value(name, shape)) for name, shape in inputs.items())
    graph += b"".join(_field(12, _value(name, shape)) for name, shape in outputs.items())
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 17))


def _node(node: Node) -> bytes:
    said = b"".join(_field(1, name.encode()) for name in node.inputs)
    said += b"".join(_field(2, name.encode()) for name in node.outputs)
    said += _field(4, node.op.encode())
    for name, values in node.ints.items():
        attribute = _field(1, name.encode()) + b"".join(_number(8, value) for value in values)
        said += _field(5, attribute + _number(20, _INTS))
    return said


def _tensor(name: str, array: np.ndarray) -> bytes:
    said = b"".join(_number(1, size) for size in array.shape) + _number(2, _FLOAT)
    content = struct.pack(f"<{array.size}f", *array.ravel().tolist())
    return said + _field(8, name.encode()) + _field(9, content)


def _value(name: str, shape: Sequence[int | str]) -> bytes:
    sizes = b"".join(
        _field(1, _number(1, size) if isinstance(size, int) else _field(2, size.encode()))
        for size in shape
    )
    tensor = _number(1, _FLOAT) + _field(2, sizes)
    return _field(1, name.encode()) + _field(2, _field(1, tensor))


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3 | _VARINT) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _BYTES) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    said = bytearray()
    while value > 0x7F:
        said.append(value & 0x7F | 0x80)
        value >>= 7
    said.append(value)
    return bytes(said)

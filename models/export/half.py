"""Storing the weights of a network in half their bytes."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SMALL_ELEMENTS = 256  # biases and shapes stay as they are: they are no weight in the file


def store_half(model: onnx.ModelProto) -> None:
    """Replace each large FP32 initialiser by its FP16 form and a cast back to FP32."""
    graph = model.graph
    kept, casts = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size <= SMALL_ELEMENTS:
            kept.append(tensor)
            continue
        half = f"{tensor.name}_half"
        kept.append(numpy_helper.from_array(array.astype(np.float16), half))
        casts.append(helper.make_node("Cast", [half], [tensor.name], to=TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = list(graph.node)
    del graph.node[:]
    graph.node.extend([*casts, *nodes])

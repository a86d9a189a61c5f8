"""A box whose model can't be run says so, and records all the same (models I2)."""

import importlib.util
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support import own_models
from tests.support.edge_process import EdgeProcess, written
from tests.support.rtsp import TestCamera, make_clip
from tests.support.waiting import wait_until

FPS = 25


def recorded_segments(edge: EdgeProcess) -> int:
    now = datetime.now(UTC)
    start, end = now - timedelta(hours=1), now + timedelta(hours=1)
    query = {"from": start.isoformat(), "to": end.isoformat()}
    return len(edge.get("/v1/cameras/cam-01/timeline", **query)["segments"])


def spoil_weights(folder: Path) -> None:
    own_models.put(folder, "my-yolo", own_models.network([[1], [1], [1], [1], [1], [0]]))
    weights = folder / "my-yolo.onnx"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")


def misspell_a_key(folder: Path) -> None:
    weights = own_models.network([[1], [1], [1], [1], [1], [0]])
    text = own_models.entry_text("my-yolo", weights).replace("pad =", "padding =")
    own_models.put(folder, "my-yolo", weights, text)


@pytest.mark.parametrize(
    ("spoil", "detect", "reason"),
    [
        pytest.param(spoil_weights, 'model = "my-yolo"', "sha256 must be", id="altered"),
        pytest.param(misspell_a_key, 'model = "my-yolo"', "'pad' must be", id="manifest"),
        pytest.param(
            lambda _folder: None,
            'model = "ssdlite-mobilenetv2-person"\nruntime = "openvino"',
            "the package openvino must be installed",
            id="runtime",
            marks=pytest.mark.skipif(
                importlib.util.find_spec("openvino") is not None, reason="openvino is installed"
            ),
        ),
    ],
)
def test_what_can_not_run_is_named_and_recording_goes_on(
    tmp_path: Path, spoil: Callable[[Path], None], detect: str, reason: str
) -> None:
    spoil(tmp_path / "own")
    clip = make_clip(tmp_path / "main.h264", frames=2 * FPS, fps=FPS, gop=FPS)
    with TestCamera({"/main": (clip, FPS), "/sub": (clip, FPS)}) as camera:
        config = written(
            tmp_path,
            f"""
[[cameras]]
id = "cam-01"
name = "村口主路"
grid_code = "533102105203001"
main_url = "{camera.url("/main")}"
sub_url = "{camera.url("/sub")}"
[[cameras.rules]]
id = "crowd"
""",
        )
        text = config.read_text(encoding="utf-8")
        with_model = f'enabled = true\nmodel_dirs = ["own"]\n{detect}'
        config.write_text(text.replace("enabled = false", with_model), encoding="utf-8")
        with EdgeProcess(config) as edge:

            def refused() -> bool:
                detector = edge.get("/v1/health")["components"]["detector"]
                return detector["condition"] == "down" and reason in (detector["detail"] or "")

            wait_until(refused, 30)
            before = recorded_segments(edge)
            wait_until(lambda: recorded_segments(edge) >= before + 1, 30)
            assert refused()

"""OpenVINO answers what onnxruntime answers (pip install -e '.[openvino]')."""

import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pytest

pytest.importorskip("openvino")

from models import person
from models.errors import ModelError
from models.manifest import ModelInput, find
from models.openvino_session import OpenVinoSession
from models.runtime import Runtime
from models.session import open_session
from models.store import ModelStore
from tests.support import tools
from tests.support.own_models import network

#: By how much a side, in pixels, and a score may differ.
SIDE_PX, SCORE = 1.0, 0.01


def both(entry, path):
    return [person.load(entry, path, None, runtime) for runtime in Runtime]


@pytest.fixture(scope="module")
def street():
    """Frames of a real street with people in it."""
    video = cv2.VideoCapture(str(tools.assets_dir() / "videos" / "people_vtest_PETS09-S2L1.avi"))
    frames = [frame for _, frame in (video.read() for _ in range(201)) if frame is not None]
    video.release()
    return frames[::100]


@pytest.mark.assets
@pytest.mark.parametrize("name", ["rtmdet-nano-person", "ssdlite-mobilenetv2-person"])
def test_the_same_people_are_found_in_real_pictures(street, name):
    chosen = ModelStore().select(name)
    usual, openvino = both(chosen.entry, chosen.path)
    assert len(street) == 3
    for picture in street:
        expected = usual.infer(picture)
        assert len(expected) >= 3
        found = openvino.infer(picture)
        assert len(found) == len(expected)
        for one, other in zip(sorted(expected), sorted(found), strict=True):
            assert one[:4] == pytest.approx(other[:4], abs=SIDE_PX)
            assert one[4] == pytest.approx(other[4], abs=SCORE)


def test_a_users_network_answers_the_same(tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(network([[60], [60], [20], [40], [0.9], [0.1]]))
    entry = replace(
        find("rtmdet-nano-person"),
        family="yolo",
        size_bytes=path.stat().st_size,
        sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        classes=("person", "dog"),
        input=ModelInput("RGB", "NCHW", 320, 32, 114, (0.0,) * 3, (255.0,) * 3, 1),
    )
    picture = np.full((160, 320, 3), 255, np.uint8)
    usual, openvino = both(entry, path)
    assert usual.infer(picture) == [pytest.approx((50, 40, 70, 80, 0.9))]
    assert openvino.infer(picture) == [pytest.approx((50, 40, 70, 80, 0.9))]


def test_bytes_that_are_no_network_are_refused(tmp_path):
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"noise\.onnx: does not load"):
        open_session(path, Runtime.OPENVINO)


def test_an_input_that_does_not_fit_is_an_error_of_ours(tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(network([[1], [1], [1], [1], [1]]))
    session = open_session(path, Runtime.OPENVINO)
    with pytest.raises(ModelError, match="'rtmdet-nano-person': does not run"):
        session.run(find("rtmdet-nano-person"), np.zeros((1, 5), np.float32))


def test_one_thread_of_the_processor_computes_in_full(tmp_path):
    path = tmp_path / "own.onnx"
    path.write_bytes(network([[1], [1], [1], [1], [1]]))
    session = OpenVinoSession(path)
    if session.device != "CPU":
        pytest.skip("it runs on graphics here")
    assert session._compiled.get_property("INFERENCE_NUM_THREADS") == 1
    assert "float32" in str(session._compiled.get_property("INFERENCE_PRECISION_HINT"))

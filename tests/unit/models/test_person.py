import numpy as np
import pytest

from models.boxes import Picture
from models.errors import ModelError
from models.manifest import find
from models.person import load, ssd_anchors, ssd_decode
from models.session import OnnxSession
from models.store import ModelStore


@pytest.fixture(scope="module")
def fallback():
    chosen = ModelStore(environ={}).select("ssdlite-mobilenetv2-person")
    return load(chosen.entry, chosen.path)


def test_the_anchors_are_those_of_the_original_graph():
    """The first of each grid as TensorFlow computes them (centre y, x, height, width)."""
    anchors = ssd_anchors()
    assert anchors.shape == (1917, 4)
    expected = {
        0: (0.02631579, 0.02631579, 0.1, 0.1),
        1: (0.02631579, 0.02631579, 0.14142136, 0.28284273),
        1083: (0.05, 0.05, 0.35, 0.35),
        1086: (0.05, 0.05, 0.20207259, 0.6062178),
        1088: (0.05, 0.05, 0.41833, 0.41833),
        1911: (0.5, 0.5, 0.95, 0.95),
    }
    for row, values in expected.items():
        assert anchors[row] == pytest.approx(values, abs=2e-4)


def test_an_encoding_of_zero_is_its_anchor():
    anchors = ssd_anchors()[[0, 1086]]
    boxes = ssd_decode(np.zeros((2, 4), np.float32), anchors)
    assert boxes[0] == pytest.approx((-0.0237, -0.0237, 0.0763, 0.0763), abs=1e-3)
    width = boxes[:, 2] - boxes[:, 0]
    assert width == pytest.approx(anchors[:, 3])


def test_nobody_is_found_in_an_empty_picture(fallback):
    for shape in ((480, 640, 3), (33, 57, 3)):
        assert fallback.infer(np.full(shape, 128, np.uint8)) == []


def test_the_picture_is_left_as_it_was(fallback):
    picture: Picture = np.random.default_rng(1).integers(0, 255, (120, 120, 3), np.uint8)
    before = picture.copy()
    fallback.infer(picture)
    assert (picture == before).all()


def test_a_file_that_is_another_model_is_refused(tmp_path):
    entry = find("rtmdet-nano-person")
    other = ModelStore(environ={}).select("ssdlite-mobilenetv2-person").path
    with pytest.raises(ModelError, match="must have 4038157 bytes, not 6173449"):
        load(entry, other)
    with pytest.raises(ModelError, match="No such file"):
        load(entry, tmp_path / "nothing.onnx")


def test_bytes_that_are_no_network_are_refused(tmp_path):
    path = tmp_path / "noise.onnx"
    path.write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"noise\.onnx: does not load"):
        OnnxSession(path)


def test_one_thread_infers(fallback):
    options = fallback._session.network.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)

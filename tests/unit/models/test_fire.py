import hashlib
from dataclasses import replace

import numpy as np
import pytest

from models.errors import ModelError
from models.fire import FLAME, SMOKE, blobs, load
from models.manifest import ModelInput, find
from tests.support.onnx_file import Node, model

SIZE = {"kernel_shape": (16, 16), "strides": (16, 16)}


def network(channels=2):
    """A network that sees flame where it is red and smoke where it is blue, cell by cell."""
    pick = np.zeros((channels, 3, 1, 1), np.float32)
    pick[0, 0] = 1
    pick[-1, 2] = 1
    return model(
        [
            Node("AveragePool", ["pictures"], ["cells"], SIZE),
            Node("Conv", ["cells", "pick"], ["heat"], {}),
        ],
        {"pick": pick},
        {"pictures": [1, 3, "h", "w"]},
        {"heat": [1, channels, "rows", "columns"]},
    )


@pytest.fixture
def make(tmp_path):
    def made(content=None, scores=(0.5, 0.4), family="heat", factor=1.0):
        content = content or network()
        path = tmp_path / "fire.onnx"
        path.write_bytes(content)
        entry = replace(
            find("rtmdet-nano-person"),
            name="fire-test",
            task="fire",
            family=family,
            size_bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            classes=(FLAME, SMOKE),
            class_scores=scores,
            input=ModelInput("RGB", "NCHW", 320, 32, 0, (0.0,) * 3, (255.0,) * 3, 1),
        )
        return load(entry, path, factor)

    return made


def picture(height=320, width=320):
    return np.zeros((height, width, 3), np.uint8)


def test_nothing_is_found_in_a_black_picture(make):
    assert make().infer(picture()) == []


def test_flame_and_smoke_are_found_where_they_are_surest_first(make):
    bgr = picture()
    bgr[32:64, 160:224, 2] = 255
    bgr[160:240, 80:160, 0] = 204
    flame, smoke = make().infer(bgr)
    assert (flame.kind, flame.left, flame.top, flame.right, flame.bottom) == (
        FLAME,
        160,
        32,
        224,
        64,
    )
    assert flame.score == pytest.approx(1.0, abs=1e-4)
    assert (smoke.kind, smoke.left, smoke.top, smoke.right, smoke.bottom) == (
        SMOKE,
        80,
        160,
        160,
        240,
    )
    assert smoke.score == pytest.approx(0.8, abs=1e-4)


def test_each_class_has_its_own_score(make):
    bgr = picture()
    bgr[0:32, 0:32, 2] = bgr[128:160, 0:32, 0] = 115  # 0.45
    assert [box.kind for box in make().infer(bgr)] == [SMOKE]
    assert [box.kind for box in make(scores=()).infer(bgr)] == [FLAME, SMOKE]  # the one for all


def test_a_factor_below_one_asks_for_the_weaker_ones_too(make):
    bgr = picture()
    bgr[0:32, 0:32, 2] = 115
    assert [box.kind for box in make(factor=0.8).infer(bgr)] == [FLAME]


def test_a_weak_surrounding_does_not_stretch_a_sure_box(make):
    bgr = picture()
    bgr[:, :, 2] = 64  # 0.25 everywhere
    bgr[32:64, 32:64, 2] = 255
    strong, weak = make(factor=0.4).infer(bgr)
    assert (strong.left, strong.top, strong.right, strong.bottom) == (32, 32, 64, 64)
    assert weak.score == pytest.approx(0.25, abs=0.01)


def test_boxes_are_in_pixels_of_a_picture_of_any_shape(make):
    bgr = picture(360, 640)  # halved, on a canvas of 320 x 192
    bgr[64:128, 320:448, 2] = 255
    (flame,) = make().infer(bgr)
    assert (flame.left, flame.top, flame.right, flame.bottom) == (320, 64, 448, 128)


def test_a_box_ends_at_the_edge_of_the_picture(make):
    bgr = picture(350, 640)  # 175 rows on a canvas of 192: the last cell is cut
    bgr[320:, 600:, 2] = 255
    (flame,) = make().infer(bgr)
    assert (flame.right, flame.bottom) == (640, 350)


def test_padding_is_no_fire(make):
    def padded(bgr):
        detector = make()
        detector.entry = replace(detector.entry, input=replace(detector.entry.input, pad=255))
        return detector.infer(bgr)

    assert padded(picture(260, 640)) == []  # 130 rows on a canvas of 160


def test_what_touches_is_one_box_with_its_weaker_edge():
    grid = np.zeros((6, 8), np.float32)
    grid[1, 1], grid[2, 2], grid[2, 3], grid[3, 4] = 0.9, 0.35, 0.2, 0.9
    found = blobs(grid, 0.5)
    assert [(tuple(box), round(score, 2)) for box, score in found] == [
        ((1, 1, 3, 3), 0.9),
        ((4, 3, 5, 4), 0.9),
    ]


def test_a_grid_that_does_not_fit_the_classes_is_refused(make):
    with pytest.raises(ModelError, match="'fire-test': must answer a grid of 2 x 20 x 20"):
        make(network(3)).infer(picture())


def test_another_family_and_another_file_are_refused(make, tmp_path):
    with pytest.raises(ModelError, match="'family' must be one of heat, yolo"):
        make(family="rtmdet")
    detector = make()
    (tmp_path / "fire.onnx").write_bytes(b"another")
    with pytest.raises(ModelError, match="not 7"):
        load(detector.entry, tmp_path / "fire.onnx")


def test_one_thread_infers(make):
    options = make()._session.network.get_session_options()
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (1, 1)

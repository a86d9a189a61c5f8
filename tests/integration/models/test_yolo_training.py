"""Training and export for real, where ultralytics is (pip install -e '.[train-yolo]')."""

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("ultralytics")
pytest.importorskip("onnx")

from models import fire, person
from models.errors import ModelError
from models.own import OWN_MANIFEST
from models.store import ModelStore
from models.training.yolo import export as exporting
from models.training.yolo.course import Course, train
from models.training.yolo.export import Order, export
from models.training.yolo.library import open_network

pytestmark = pytest.mark.filterwarnings("ignore")  # of PyTorch's exporter, and of ultralytics
SIDE = 64


@pytest.fixture(scope="module", autouse=True)
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("YOLO_CONFIG_DIR", "")
        patch.setenv("YOLO_AUTOINSTALL", "")
        yield


@pytest.fixture(scope="module")
def data(tmp_path_factory) -> Path:
    """A data set of red boxes on grey."""
    root = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(1)
    for part, count in (("train", 8), ("val", 4)):
        for kind in ("images", "labels"):
            (root / kind / part).mkdir(parents=True)
        for index in range(count):
            left, top = (int(side) for side in rng.integers(2, 36, 2))
            picture = np.full((SIDE, SIDE, 3), 90, np.uint8)
            cv2.rectangle(picture, (left, top), (left + 20, top + 24), (0, 0, 255), -1)
            cv2.imwrite(str(root / "images" / part / f"{index}.png"), picture)
            box = [(left + 10) / SIDE, (top + 12) / SIDE, 20 / SIDE, 24 / SIDE]
            line = " ".join(map(str, [0, *box]))
            (root / "labels" / part / f"{index}.txt").write_text(line + "\n")
    lines = [f"path: {root}", "train: images/train", "val: images/val", "names: [person, fire]"]
    path = root / "data.yaml"
    path.write_text("\n".join(lines) + "\n")
    return path


def course(data, weights, epochs=2):
    return Course(str(data), weights, epochs=epochs, imgsz=SIDE, batch=4)


@pytest.fixture(scope="module", params=["yolo11n.yaml", "yolo26n.yaml"])
def trained(request, data, tmp_path_factory) -> Path:
    """The weights of a training of two epochs that was stopped in the second and taken up again."""
    out = tmp_path_factory.mktemp("training") / "out"
    plan = course(data, request.param)

    class Stopped(Exception):  # noqa: N818 - reads as what happened
        pass

    def stop(trainer):
        if trainer.epoch == 1:
            raise Stopped

    with pytest.MonkeyPatch.context() as patch:

        def stopping(weights):
            network = open_network(weights)
            network.add_callback("on_train_epoch_start", stop)
            return network

        patch.setattr("models.training.yolo.course.open_network", stopping)
        with pytest.raises(ModelError, match="the training failed"):
            train(plan, out, "cpu")
    last = out / "weights" / "last.pt"
    assert open_network(str(last)).ckpt["epoch"] == 0
    if request.param == "yolo26n.yaml":
        last.write_bytes(last.read_bytes()[:1000])  # the power went while it was written
    best = train(plan, out, "cpu")
    assert len((out / "results.csv").read_text().splitlines()) == 1 + 2
    assert open_network(str(last)).ckpt["epoch"] == -1
    return best


def order(weights, folder, **more):
    values = {"name": "my-yolo", "task": "person", "imgsz": 320, "score": 0.25}
    return Order(weights=weights, folder=folder, licence="AGPL-3.0", **(values | more))


def test_a_training_that_has_ended_is_left_as_it_is(trained, data):
    before = trained.stat().st_mtime_ns
    weights = "yolo11n.yaml"
    assert train(course(data, weights), trained.parent.parent, "cpu") == trained
    assert trained.stat().st_mtime_ns == before
    with pytest.raises(ModelError, match="holds a training with 'epochs' 2, not 3"):
        train(course(data, weights, epochs=3), trained.parent.parent, "cpu")


def test_an_export_answers_as_its_network_and_is_listed_and_loads(trained, tmp_path):
    made = export(order(trained, tmp_path))
    assert made.side_px <= exporting.MAX_SIDE_PX
    chosen = ModelStore([tmp_path], environ={}).select("my-yolo")
    assert (chosen.path, chosen.manifest) == (made.path, tmp_path / OWN_MANIFEST)
    picture = np.full((48, 90, 3), 90, np.uint8)
    assert isinstance(person.load(chosen.entry, chosen.path).infer(picture), list)
    weak = person.load(chosen.entry, chosen.path, min_score=1e-6).infer(picture)
    assert weak
    assert max(box[2] for box in weak) <= 90
    assert (tmp_path / chosen.entry.card).read_text().startswith("# my-yolo\n")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("my-yolo.onnx", OWN_MANIFEST, "cards"),
    }


def test_a_fire_model_is_listed_beside_it(trained, tmp_path):
    export(order(trained, tmp_path))
    export(order(trained, tmp_path, name="my-fire", task="fire", renamed={"fire": "flame"}))
    chosen = ModelStore([tmp_path], environ={}).select("my-fire", "fire")
    assert chosen.entry.classes == ("person", "flame")
    found = fire.load(chosen.entry, chosen.path, score_factor=1e-6).infer(exporting.drawn())
    assert {box.kind for box in found} == {"flame"}
    with pytest.raises(ModelError, match="name 'my-fire': is taken"):
        export(order(trained, tmp_path, name="my-fire"))


def test_a_file_that_differs_from_its_network_is_not_listed(trained, tmp_path, monkeypatch):
    monkeypatch.setattr(exporting, "MAX_SCORE", -1.0)
    with pytest.raises(ModelError, match="the file must differ from the network by at most"):
        export(order(trained, tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_network_is_refused(tmp_path):
    (tmp_path / "best.pt").write_bytes(b"noise")
    with pytest.raises(ModelError, match=r"best\.pt: is no network of ultralytics"):
        export(order(tmp_path / "best.pt", tmp_path / "models"))
    assert not (tmp_path / "models").exists()


def test_a_network_that_finds_no_boxes_is_refused():
    with pytest.raises(ModelError, match="'task' must be detect, not classify"):
        open_network("yolo11n-cls.yaml")

"""The training itself, where PyTorch is installed (pip install -e '.[train-fire]')."""

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("onnx")

from models.errors import ModelError  # noqa: E402 - only where PyTorch is
from models.evaluation.fire import Seen, unlisted  # noqa: E402
from models.evaluation.fire import look as look_in_box  # noqa: E402
from models.evaluation.labelled import Labelled  # noqa: E402
from models.evaluation.mark import Mark  # noqa: E402
from models.fire import load  # noqa: E402
from models.training.fire import examples  # noqa: E402
from models.training.fire.export import export  # noqa: E402
from models.training.fire.network import FireNetwork, load_backbone  # noqa: E402
from models.training.fire.trainer import Plan, Trainer, cell_loss, picture_loss  # noqa: E402
from models.training.fire.validation import look, worth  # noqa: E402
from protocol.clock import SystemClock  # noqa: E402


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(examples, "SIZES", ((64, 64), (96, 64)))
    torch.set_num_threads(1)


@pytest.fixture
def pictures(tmp_path):
    found = []
    for index in range(4):
        path = tmp_path / f"{index}.jpg"
        noise = np.random.default_rng(index).integers(0, 255, (60, 80, 3), np.uint8)
        assert cv2.imwrite(str(path), noise)
        marks = (Mark(0, 0.2, 0.2, 0.6, 0.6),) if index % 2 else ()
        found.append(Labelled(path, "a", marks))
    return found


def network():
    torch.manual_seed(1)
    return FireNetwork()


def quiet(_done, _of, _loss):
    """Say nothing."""


def test_the_examples_of_an_epoch_are_the_same_whoever_loads_them(pictures):
    one, other = (examples.Examples(pictures, 7, 3, batch=2) for _ in range(2))
    for index in reversed(range(len(one))):
        assert all(torch.equal(a, b) for a, b in zip(one[index], other[index], strict=True))
    inputs, target, weight = one[0]
    assert target.shape == weight.shape == (2, inputs.shape[1] // 16, inputs.shape[2] // 16)


def test_a_mosaic_holds_the_marks_of_four_pictures(pictures, monkeypatch):
    monkeypatch.setattr(examples, "MOSAIC_SHARE", 1.0)
    burning = [each for each in pictures if each.marks]
    _, target, _ = examples.Examples(burning * 8, 7, 3, batch=2)[0]
    quarters = [
        target[0, rows, columns]
        for rows in (slice(2), slice(2, 4))
        for columns in (slice(2), slice(2, 4))
    ]
    assert sum(bool(quarter.any()) for quarter in quarters) >= 2


def test_there_is_an_answer_for_every_cell_and_class():
    logits = network().eval()(torch.zeros(1, 3, 64, 96))
    assert logits.shape == (1, 2, 4, 6)
    assert (torch.sigmoid(logits) < 0.5).all()  # a fire is the exception


def test_a_cell_without_weight_costs_nothing():
    target, weight = torch.zeros(1, 2, 2, 2), torch.zeros(1, 2, 2, 2)
    assert cell_loss(torch.full((1, 2, 2, 2), 9.0), target, weight) == 0
    weight[0, 0, 0, 0] = 1
    assert cell_loss(torch.full((1, 2, 2, 2), 9.0), target, weight) > 0


def test_a_picture_is_judged_by_its_surest_cells():
    target = torch.zeros(1, 2, 4, 4)
    target[0, 0, :2, :2] = 1
    right = torch.where(target > 0, 6.0, -6.0)
    assert picture_loss(right, target) < 0.01
    assert picture_loss(-right, target) > 2


def test_a_stopped_training_goes_on_as_if_it_had_not_been(tmp_path, pictures):
    plan = Plan(epochs=2, batch=2, frozen=1)

    def folder(name):
        path = tmp_path / name
        path.mkdir()
        return path

    whole = Trainer(plan, network(), folder("whole"), "cpu")
    for _ in range(2):
        whole.run_epoch(pictures, quiet)
    Trainer(plan, network(), folder("cut"), "cpu").run_epoch(pictures, quiet)
    resumed = Trainer(plan, FireNetwork(), tmp_path / "cut", "cpu")
    assert resumed.epoch == 1
    resumed.run_epoch(pictures, quiet)
    for one, other in zip(
        whole.average.state_dict().values(), resumed.average.state_dict().values(), strict=True
    ):
        assert torch.equal(one, other)
    with pytest.raises(ModelError, match="must be of the same plan"):
        Trainer(Plan(epochs=3, batch=2, frozen=1), network(), tmp_path / "cut", "cpu")


def test_the_best_epoch_is_kept_also_where_the_training_is_taken_up_again(tmp_path, pictures):
    plan = Plan(epochs=3, batch=2, frozen=1)
    trainer = Trainer(plan, network(), tmp_path, "cpu")
    trainer.run_epoch(pictures, quiet)
    assert trainer.keep_if_best(0.6)
    best = {name: value.clone() for name, value in trainer.average.state_dict().items()}
    trainer.run_epoch(pictures, quiet)
    assert not trainer.keep_if_best(0.5)
    resumed = Trainer(plan, network(), tmp_path, "cpu")
    assert (resumed.best_epoch, resumed.best_worth) == (1, 0.6)
    resumed.take_best()
    for name, value in resumed.average.state_dict().items():
        assert torch.equal(value, best[name])


def test_an_epoch_is_worth_how_well_it_ranks_the_pictures_of_each_class():
    fire, smoke, nothing = (True, False), (False, True), (False, False)
    perfect = [Seen(fire, (0.9, 0.1)), Seen(smoke, (0.2, 0.8)), Seen(nothing, (0.3, 0.4))]
    assert worth(perfect) == 1.0
    missed = [*perfect, Seen(smoke, (0.1, 0.3))]
    assert worth(missed) == pytest.approx((1.0 + (1 + 2 / 3) / 2) / 2)
    assert worth([Seen(nothing, (0.5, 0.5))]) == 0.0


def test_the_validation_sees_what_a_box_sees(tmp_path, pictures):
    trained = network()
    export(trained, tmp_path)
    path = tmp_path / "fire_half.onnx"
    model = load(unlisted(path, (1e-6, 1e-6)), path)
    in_box, _ = look_in_box(model, pictures, SystemClock())
    for one, other in zip(look(trained, pictures), in_box, strict=True):
        assert one.has == other.has
        assert one.best == pytest.approx(other.best, abs=0.02)


def test_what_is_frozen_stays_as_it_came(tmp_path, pictures):
    before = {name: value.clone() for name, value in network().state_dict().items()}
    trained = network()
    Trainer(Plan(epochs=1, batch=2, frozen=2), trained, tmp_path, "cpu").run_epoch(pictures, quiet)
    after = trained.state_dict()
    kept = ("_conv_stem.", "_bn0.", "_blocks.0.", "_blocks.1.")
    assert all(torch.equal(after[name], before[name]) for name in before if name.startswith(kept))
    assert not torch.equal(after["head.0.weight"], before["head.0.weight"])
    assert not torch.equal(
        after["_blocks.5._project_conv.weight"], before["_blocks.5._project_conv.weight"]
    )


def test_what_is_exported_is_what_was_trained_and_runs_in_the_box(tmp_path):
    made = export(network(), tmp_path)
    assert set(made) == {"fire.onnx", "fire_half.onnx"}
    path = tmp_path / "fire_half.onnx"
    assert made["fire_half.onnx"]["bytes"] == path.stat().st_size
    model = load(unlisted(path, (0.5, 0.5)), path)
    assert model.infer(np.zeros((90, 160, 3), np.uint8)) == []


def test_other_weights_are_refused(tmp_path):
    (tmp_path / "other.pth").write_bytes(b"other")
    with pytest.raises(ModelError, match="sha256 must be 5793442"):
        load_backbone(network(), tmp_path / "other.pth")

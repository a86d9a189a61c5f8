import pytest

from models import manifest
from models.errors import ModelError
from models.own import OWN_MANIFEST, collect
from models.store import ModelStore
from tests.support import own_models
from tests.support.own_models import entry_text as text_of

WEIGHTS = b"the user's own weights"
OURS = [entry.name for entry in manifest.load()]


def entry_text(name="my-yolo", **more):
    return text_of(name, WEIGHTS, **more)


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "mine"
    made.mkdir()
    return made


def put(folder, text, name="my-yolo"):
    own_models.put(folder, name, WEIGHTS, text)


def store(*folders):
    return ModelStore(folders, environ={})


def test_a_users_model_is_taken_by_its_name(folder):
    put(folder, entry_text())
    chosen = store(folder).select("my-yolo")
    assert (chosen.entry.family, chosen.path) == ("yolo", folder / "my-yolo.onnx")
    assert chosen.manifest == folder / OWN_MANIFEST
    assert not chosen.fallback


def test_it_is_never_taken_by_itself(folder):
    put(folder, entry_text())
    chosen = store(folder).select("auto")
    assert chosen.entry.name in OURS
    assert chosen.manifest is None


def test_it_is_read_from_the_folder_of_the_environment_too(folder):
    put(folder, entry_text())
    made = ModelStore(environ={"TANSHAO_MODEL_DIR": str(folder)})
    assert made.select("my-yolo").manifest == folder / OWN_MANIFEST


def test_one_of_another_task_is_not_taken(folder):
    put(folder, entry_text("my-fire", task="fire", classes=("smoke", "dog")), "my-fire")
    assert store(folder).select("my-fire", "fire").entry.classes == ("smoke", "dog")
    with pytest.raises(ModelError, match="'task' must be person, not fire"):
        store(folder).select("my-fire")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[[model", "models.toml: "),
        ("", "'model' must be a list of tables"),
        (entry_text(more="colour = 'blue'"), "model 1: unknown key 'colour'"),
        (entry_text() + "[model.extra]\na = 1\n", "model 1: unknown key 'extra'"),
        (entry_text().replace("pad =", "padding = 1\npad ="), "input: unknown key 'padding'"),
        (entry_text() + "iou = 0.5\n", "thresholds: unknown key 'iou'"),
        ("top = 1\n" + entry_text(), "unknown key 'top'"),
        (entry_text(OURS[0]), f"'name' must be of no other model, not '{OURS[0]}'"),
        (entry_text() + entry_text(), "'name' must differ from model to model"),
        (entry_text(task="cats"), "'task' must be of the form person|fire"),
        (entry_text(classes=["cat"]), "'classes' must have person for task 'person'"),
        (entry_text(task="fire"), "'classes' must have flame or smoke for task 'fire'"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused_whole_and_named(folder, text, rule):
    put(folder, text)
    made = store(folder)
    assert len(made.problems) == 1
    assert str(folder / OWN_MANIFEST) in made.problems[0]
    assert rule in made.problems[0]
    assert [entry.name for entry in made.entries] == OURS


def test_a_refused_manifest_leaves_the_programs_models_alone(folder):
    put(folder, "nonsense")
    assert store(folder).select("auto").entry.name in OURS
    with pytest.raises(ModelError, match=r"'my-yolo': must be one of.*models\.toml"):
        store(folder).select("my-yolo")


def test_bytes_that_are_no_text_are_refused(folder):
    (folder / OWN_MANIFEST).write_bytes(b"\xff\xfe")
    assert str(folder / OWN_MANIFEST) in store(folder).problems[0]


def test_of_two_folders_the_first_has_a_name(folder, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    put(folder, entry_text())
    put(other, entry_text())
    made = store(folder, other)
    assert made.select("my-yolo").path == folder / "my-yolo.onnx"
    assert made.problems == (
        f"{other / OWN_MANIFEST}: 'name' must be of no other model, not 'my-yolo'",
    )


def test_a_folder_named_twice_is_read_once(folder):
    put(folder, entry_text())
    assert collect([folder, folder], OURS).problems == ()


def test_a_manifest_that_can_not_be_read_is_named(folder):
    (folder / OWN_MANIFEST).mkdir()
    assert collect([folder], OURS) == collect([], OURS)  # a folder of that name is no manifest
    with pytest.raises(ModelError, match=r"models\.toml: Is a directory"):
        manifest.read(folder / OWN_MANIFEST)
    blocked = folder / ("x" * 300)
    assert "too long" in collect([blocked], OURS).problems[0]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (WEIGHTS[:-1], "must have 22 bytes, not 21"),
        (WEIGHTS[::-1], "sha256 must be"),
        (None, "must be in one of"),
    ],
)
def test_missing_short_and_altered_weights_are_refused(folder, content, rule):
    put(folder, entry_text())
    (folder / "my-yolo.onnx").unlink()
    if content is not None:
        (folder / "my-yolo.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=rule):
        store(folder).select("my-yolo")


def test_the_handbooks_example_is_valid(folder):
    text = (manifest.HERE.parent / "docs/handbook/own-weights.md").read_text(encoding="utf-8")
    (example,) = [
        block.partition("```")[0] for block in text.split("```toml\n")[1:] if "[[model]]" in block
    ]
    put(folder, example)
    assert store(folder).problems == ()
    assert store(folder).entries[-1].family == "yolo"

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from models import manifest
from models.errors import ModelError
from models.store import ModelStore, assets_dir, user_dir

BEST, SECOND = b"the best model", b"the second one, that is always there"


def entry_for(index, name, content):
    return replace(
        manifest.load()[index],
        name=name,
        file=f"{name}.onnx",
        size_bytes=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


ENTRIES = (entry_for(0, "best", BEST), entry_for(1, "second", SECOND))


@pytest.fixture
def folders(tmp_path):
    """The four kinds of folders, and a store that looks into them."""

    class Folders:
        configured = tmp_path / "configured"
        named = tmp_path / "named"
        user = tmp_path / "cache" / "tanshao" / "models"
        assets = tmp_path / "assets" / "weights"
        bundled = tmp_path / "bundled"

        def store(self):
            environ = {
                "TANSHAO_MODEL_DIR": str(self.named),
                "XDG_CACHE_HOME": str(tmp_path / "cache"),
                "TANSHAO_ASSETS": str(tmp_path / "assets"),
            }
            return ModelStore([self.configured], environ, ENTRIES, bundled=self.bundled)

    made = Folders()
    for folder in (made.configured, made.named, made.user, made.assets, made.bundled):
        folder.mkdir(parents=True)
    return made


def test_folders_are_searched_in_order(folders):
    order = [folders.configured, folders.named, folders.user, folders.assets, folders.bundled]
    for folder in reversed(order):
        path = folder / "best.onnx"
        path.write_bytes(BEST)
        assert folders.store().locate(ENTRIES[0]) == path


def test_a_file_is_known_by_its_content_whatever_its_name(folders):
    (folders.assets / "another name.onnx").write_bytes(BEST)
    assert folders.store().locate(ENTRIES[0]) == folders.assets / "another name.onnx"


def test_other_files_of_the_same_size_are_passed_over(folders):
    (folders.named / "a.onnx").write_bytes(BEST[::-1])
    (folders.named / "b.txt").write_bytes(BEST)
    (folders.assets / "c.onnx").write_bytes(BEST)
    assert folders.store().locate(ENTRIES[0]) == folders.assets / "c.onnx"


def test_a_broken_file_in_an_earlier_folder_does_not_hide_a_good_one(folders):
    (folders.configured / "best.onnx").write_bytes(BEST[:-1])
    (folders.bundled / "best.onnx").write_bytes(BEST)
    assert folders.store().locate(ENTRIES[0]) == folders.bundled / "best.onnx"


def test_a_missing_model_names_the_file_and_where_it_was_looked_for(folders):
    with pytest.raises(
        ModelError, match=r"best\.onnx of model 'best': must be in one of"
    ) as raised:
        folders.store().locate(ENTRIES[0])
    assert str(folders.configured) in str(raised.value)
    assert str(folders.bundled) in str(raised.value)


def test_a_short_file_is_refused_with_both_sizes(folders):
    (folders.named / "best.onnx").write_bytes(BEST[:-1])
    with pytest.raises(ModelError, match=r"best\.onnx: must have 14 bytes, not 13"):
        folders.store().locate(ENTRIES[0])


def test_an_altered_file_is_refused_with_both_hashes(folders):
    altered = b"THE best model"
    (folders.named / "best.onnx").write_bytes(altered)
    expected = f"sha256 must be {ENTRIES[0].sha256}, not {hashlib.sha256(altered).hexdigest()}"
    with pytest.raises(ModelError, match=expected):
        folders.store().locate(ENTRIES[0])


def test_auto_takes_the_best_that_is_there(folders):
    (folders.bundled / "second.onnx").write_bytes(SECOND)
    (folders.user / "best.onnx").write_bytes(BEST)
    chosen = folders.store().select()
    assert (chosen.entry.name, chosen.path) == ("best", folders.user / "best.onnx")
    assert not chosen.fallback


def test_auto_falls_back_and_says_why(folders):
    (folders.bundled / "second.onnx").write_bytes(SECOND)
    (folders.user / "best.onnx").write_bytes(BEST[:-1])
    chosen = folders.store().select("auto")
    assert (chosen.entry.name, chosen.fallback) == ("second", True)
    assert "must have 14 bytes, not 13" in chosen.reason


def test_auto_with_nothing_there_names_every_model(folders):
    with pytest.raises(ModelError, match=r"best\.onnx.*second\.onnx"):
        folders.store().select()


def test_no_model_of_a_task_is_an_error(folders):
    with pytest.raises(ModelError, match="no model of task 'fire'"):
        folders.store().select(task="fire")


def test_a_named_model_is_taken_or_refused_but_never_replaced(folders):
    (folders.bundled / "second.onnx").write_bytes(SECOND)
    chosen = folders.store().select("second")
    assert (chosen.entry.name, chosen.fallback) == ("second", False)
    with pytest.raises(ModelError, match=r"best\.onnx"):
        folders.store().select("best")
    with pytest.raises(ModelError, match="must be one of best, second or auto"):
        folders.store().select("third")


def test_the_fallback_comes_with_the_program():
    chosen = ModelStore(environ={"TANSHAO_ASSETS": "/nonexistent"}).select()
    assert chosen.entry.name == "ssdlite-mobilenetv2-person"
    assert chosen.fallback
    assert chosen.path.parent == manifest.HERE / "weights"
    licence = chosen.path.with_suffix(".LICENSE").read_text(encoding="utf-8")
    assert licence.startswith("MIT License")


def test_where_the_users_models_and_the_test_data_are():
    assert user_dir({"HOME": "/srv/li"}) == Path("/srv/li/.cache/tanshao/models")
    assert user_dir({"XDG_CACHE_HOME": "/c"}) == Path("/c/tanshao/models")
    assert assets_dir({"TANSHAO_ASSETS": "/a"}) == Path("/a")
    assert assets_dir({}).parts[-2:] == ("shared", "assets")

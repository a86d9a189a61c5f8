from dataclasses import replace

import pytest

from models.errors import ModelError
from models.manifest import load
from models.store import Selection
from village import person_model
from village.person_model import ModelErrand, shown


class Store:
    """A store that has what a test says; its folder is where a download goes."""

    def __init__(self, selection, entries=(), folder=None):
        self._selection = selection
        self.entries = entries
        self.download_dir = folder

    def select(self, _name="auto"):
        if isinstance(self._selection, Exception):
            raise self._selection
        return self._selection


def entry(name, task="person"):
    return replace(load()[0], name=name, task=task)


def selection(name, *, fallback):
    return Selection(entry(name), None, fallback=fallback, reason="")


@pytest.fixture
def fetched(monkeypatch):
    calls = []
    monkeypatch.setattr(
        person_model, "fetch", lambda entry, folder, client: calls.append((entry.name, folder))
    )
    return calls


def test_the_best_model_is_fetched_where_only_the_fallback_is_there(fetched, tmp_path):
    best = entry("best")
    other = entry("fire", "fire")
    errand = ModelErrand(Store(selection("weak", fallback=True), (other, best), tmp_path))
    errand.start()
    errand.wait(10)
    assert fetched == [("best", tmp_path)]


def test_nothing_is_fetched_where_the_best_is_there(fetched):
    errand = ModelErrand(Store(selection("best", fallback=False)))
    errand.start()
    errand.wait(10)
    assert fetched == []


def test_a_village_without_network_goes_on(monkeypatch, tmp_path, caplog):
    def refuse(entry, folder, client):
        raise ModelError("no network")

    monkeypatch.setattr(person_model, "fetch", refuse)
    best = entry("best")
    errand = ModelErrand(Store(selection("weak", fallback=True), (best,), tmp_path))
    errand.start()
    errand.wait(10)
    assert [record.message for record in caplog.records] == ["model.not_fetched"]


def test_the_fallback_is_called_what_it_is():
    assert shown(Store(selection("best", fallback=False)), "auto") == "best"
    assert shown(Store(selection("weak", fallback=True)), "auto").startswith("weak(备用模型")
    assert "no person model" in shown(Store(ModelError("none")), "auto")


def test_an_errand_that_was_not_begun_is_not_waited_for():
    """A model was chosen by name: nothing is fetched."""
    errand = ModelErrand(Store(selection("best", fallback=False)))
    errand.wait(1.0)

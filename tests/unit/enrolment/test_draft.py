"""A camera's table as an examination and a person make it."""

import tomllib

import pytest

from edge.config import CameraSection, EdgeConfig
from edge.enrolment import draft
from edge.enrolment.errand import Pulled
from edge.enrolment.request import Wanted, Watch
from tests.support.tools import ROOT

PULLED = Pulled(
    main_url="rtsp://192.0.2.20/1",
    sub_url="rtsp://192.0.2.20/2",
    transport="udp",
    onvif_url="http://192.0.2.20:8000/onvif/device_service",
)
ALONE = Pulled(main_url="rtsp://192.0.2.20/1", sub_url=None, transport="tcp")
FACTS = {"name": "晒场", "grid_code": "533102105203002"}


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("edge*.toml")), ids=str)
def test_a_camera_is_the_same_as_a_table_and_back(path):
    config = EdgeConfig.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    for camera in config.cameras:
        document = draft.document_of(camera)
        assert "password" not in document
        if camera.password is not None:
            document["password"] = camera.password.model_dump(mode="json", exclude_none=True)
        assert CameraSection.model_validate(document) == camera


def test_ids_go_on_after_the_highest():
    assert draft.free_id([]) == "cam1"
    assert draft.free_id(["gate", "cam2", "cam11", "cam-9", "camera"]) == "cam12"


def test_a_new_camera_has_what_a_person_and_the_device_say():
    assert draft.new("cam1", FACTS, PULLED, "admin") == {
        "id": "cam1",
        **FACTS,
        "main_url": PULLED.main_url,
        "sub_url": PULLED.sub_url,
        "onvif_url": PULLED.onvif_url,
        "transport": "udp",
        "username": "admin",
    }


def test_of_the_old_device_nothing_is_left():
    old = draft.new("cam1", {**FACTS, "record_sub": True, "reader": "ffmpeg"}, PULLED, "admin")
    new = draft.replaced(old, ALONE, None)
    assert new == {"id": "cam1", **FACTS, "main_url": ALONE.main_url}


def test_a_fact_is_changed_or_taken_out():
    old = draft.new("cam1", {**FACTS, "retention_days": 60}, ALONE, None)
    assert draft.changed(old, {"retention_days": None, "name": "桥头"}) == {
        **draft.new("cam1", FACTS, ALONE, None),
        "name": "桥头",
    }


def test_a_camera_like_another_has_its_rules_but_not_its_shapes():
    drawn = {
        "id": "crowd",
        "exclude": [[[0, 0], [1, 0], [1, 1]]],
        "regions": [{"id": "square", "polygon": [[0, 0], [1, 0], [1, 1]]}],
        "levels": {"ordinary": 9},
    }
    other = {
        **draft.new("gate", FACTS, PULLED, None),
        "rules": [drawn],
        "record_sub": True,
        "quota_gb": 5,
        "retention_days": 7,
        "place": "村口",
    }
    made = draft.alike(draft.new("cam1", FACTS, ALONE, None), other)
    assert made["rules"] == [
        {"id": "crowd", "regions": [{"id": "square"}], "levels": {"ordinary": 9}}
    ]
    assert made["quota_gb"] == 5
    assert made.keys().isdisjoint({"record_sub", "retention_days", "place", "sub_url"})
    assert draft.alike(other, draft.new("cam1", FACTS, ALONE, None)).get("rules") is None


def test_a_camera_gets_a_rule_of_each_kind_it_is_to_look_for_and_none_twice():
    plain = draft.new("cam1", FACTS, PULLED, None)
    both = draft.watching(plain, {Watch.FIRE, Watch.GATHERING})
    assert both["rules"] == [{"id": "crowd", "kind": "gathering"}, {"id": "fire", "kind": "fire"}]
    assert [rule.kind for rule in CameraSection.model_validate(both).rules] == list(Watch)
    assert draft.watching(both, set(Watch)) == both
    assert draft.watching(plain, set()) == plain
    # A rule without a kind is a gathering's; an id that is taken is not given twice.
    own = {**plain, "rules": [{"id": "fire"}]}
    assert draft.watching(own, set(Watch))["rules"] == [
        {"id": "fire"},
        {"id": "fire-2", "kind": "fire"},
    ]


def test_a_camera_looks_for_everything_unless_it_is_like_another_or_somebody_says_what():
    assert Wanted({}).watched() == set(Watch)
    assert Wanted({}, like="cam1").watched() == set()
    assert Wanted({}, like="cam1", watch=frozenset({Watch.FIRE})).watched() == {Watch.FIRE}
    assert Wanted({}, watch=frozenset()).watched() == set()

"""What may be changed from afar, what a change leaves alone, and how it is told."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config
from edge.config import EdgeConfig
from edge.errors import ConfigError
from edge.settings.difference import differences
from edge.settings.tuning import TUNABLE_OF_CAMERA, tunable, tuned, tuning_of
from edge.template import CARRIED, CARRIED_OF_CAMERA
from edge.toml_text import toml_text
from tests.support.tools import ROOT

EXAMPLE = ROOT / "configs/edge.village.toml"
CONFIG, DOCUMENT = config.load(EXAMPLE), config.read(EXAMPLE)
CAMERA = DOCUMENT["cameras"][0]


def changed(patch: str) -> tuple[str, ...]:
    """Return in lines what a patch changes in the example."""
    after = tuned(DOCUMENT, tomllib.loads(patch))
    return differences(valid(DOCUMENT), valid(after))


def valid(document) -> EdgeConfig:
    return config.validated(document, "box")


def test_what_is_tunable_is_what_a_template_carries_but_no_address():
    assert CARRIED_OF_CAMERA - {"main_url", "sub_url"} == TUNABLE_OF_CAMERA
    assert tunable("outbox") == {"max_rows", "max_mb", "max_days"}
    assert tunable("http") == tunable("commands") == tunable("nothing") == frozenset()
    for name, keys in CARRIED.items():
        assert keys is None or tunable(name) == keys


def test_the_tuning_tells_nothing_of_the_village_and_laid_over_it_changes_nothing():
    text = toml_text(tuning_of(CONFIG, DOCUMENT))
    own = [
        "192.0.2",
        "青石岭",
        "村口",
        "example.org",
        "/etc/",
        "/var/",
        "viewer",
        "rtsp:",
        "polygon",
    ]
    assert [word for word in own if word in text] == []
    assert "calm_fps = 0.5" in text  # by itself, though the file does not say it
    assert changed(text) == ()


def test_a_box_without_a_centre_has_nothing_to_tune_of_one():
    alone = {key: value for key, value in DOCUMENT.items() if key != "centre"}
    assert "centre" not in tuning_of(valid(alone), alone)
    with pytest.raises(ConfigError, match="'centre': this box has no centre"):
        tuned(alone, {"centre": {"mqtt_port": 1883}})


def test_keys_are_replaced_one_by_one_and_what_is_not_named_stays():
    assert changed("[detect]\nfps = 4\n[recording]\nretention_days = 60") == (
        "recording.retention_days: 30 → 60",
        "detect.fps: 2.0 → 4.0",
    )
    assert changed('[[cameras]]\nid = "cam-01"\nlost_after_s = 12') == (
        "cameras.cam-01.lost_after_s: 30.0 → 12.0",
    )


def test_a_rule_keeps_what_is_drawn_for_it_and_other_rules_stay():
    patch = """
    [[cameras]]
    id = "cam-01"
    rules = [{ id = "fire", hold_s = 30, regions = [{ id = "yard" }] }, { id = "extra" }]
    """
    assert changed(patch) == (
        "cameras.cam-01.rules.fire.hold_s: 20.0 → 30.0",
        "cameras.cam-01.rules.extra: added",
    )
    after = tuned(DOCUMENT, tomllib.loads(patch))["cameras"][0]
    assert [rule["id"] for rule in after["rules"]] == ["square", "fire", "extra"]
    before = next(rule for rule in CAMERA["rules"] if rule["id"] == "fire")
    fire = next(rule for rule in after["rules"] if rule["id"] == "fire")
    assert (fire["exclude"], fire["regions"]) == (before["exclude"], before["regions"])


@pytest.mark.parametrize(
    ("patch", "words"),
    [
        ("[http]\nport = 1", "'http': can't be changed from afar"),
        ("[commands]\nmay_set_clock = true", "'commands': can't be"),
        ("[nothing]\nx = 1", "'nothing': can't be"),
        ("[box]\ndata_dir = '/x'", r"'box\.data_dir': can't be"),
        ("[box]\nregion_code = '533102105203'", r"'box\.region_code': can't be"),
        ("[centre]\nmqtt_host = 'other.example.org'", r"'centre\.mqtt_host': can't be"),
        ("[centre]\ntoken = { file = '/etc/passwd' }", r"'centre\.token': can't be"),
        ("[recording]\nfolder = '/x'", r"'recording\.folder': can't be"),
        ("[detect]\nmodel_dirs = ['/x']", r"'detect\.model_dirs': can't be"),
        ('[[cameras]]\nid = "cam-99"', r"'cameras\.cam-99': there is no such camera here"),
        ('[[cameras]]\nid = "cam-01"\nmain_url = "rtsp://x/1"', r"cam-01\.main_url': can't be"),
        ('[[cameras]]\nid = "cam-01"\nusername = "x"', r"cam-01\.username': can't be"),
        ('[[cameras]]\nid = "cam-01"\nretention_days = 5', r"cam-01\.retention_days': can't"),
        ('[[cameras]]\nid = "cam-01"\nground = []', r"cam-01\.ground': can't be"),
        ('[[cameras]]\nid = "cam-01"\nrules = 5', r"cam-01\.rules': must be tables"),
        ('[[cameras]]\nid = "cam-01"\nrules = "x"', r"cam-01\.rules': must be tables"),
        ('[[cameras]]\nid = "cam-01"\nrules = [{ hold_s = 3 }]', "must be tables"),
        ('[[cameras]]\nid = "cam-01"\nrules = [{ id = "a" }, { id = "a" }]', "must be tables"),
        ('[[cameras]]\nid = "cam-01"\nrules = [{ id = "a", regions = 5 }]', r"a\.regions': must"),
        ('[[cameras]]\nid = "cam-01"\nrules = [{ id = "a", exclude = [] }]', "'exclude' is drawn"),
        (
            '[[cameras]]\nid = "cam-01"\nrules = [{ id = "a", regions = [{id="b", polygon=[]}] }]',
            "'polygon' is drawn",
        ),
    ],
)
def test_what_may_not_be_changed_from_afar_is_refused_by_its_name(patch, words):
    with pytest.raises(ConfigError, match=words):
        tuned(DOCUMENT, tomllib.loads(patch))


def test_every_refusal_is_told_at_once_and_no_value_is_repeated():
    with pytest.raises(ConfigError) as refused:
        tuned(DOCUMENT, {"http": {"port": 1}, "box": {"pasword": "hunter2"}})
    assert str(refused.value) == (
        "'http': can't be changed from afar; 'box.pasword': can't be changed from afar"
    )


def test_of_what_is_no_tuning_only_that_it_changed_is_told():
    after = {**DOCUMENT, "cameras": [{**CAMERA, "main_url": "rtsp://192.0.2.99/new"}]}
    assert differences(valid(DOCUMENT), valid(after)) == ("cameras.cam-01.main_url: changed",)
    assert differences(valid(DOCUMENT), valid({**DOCUMENT, "cameras": []})) == (
        "cameras.cam-01: removed",
    )
    rules = [{**rule, "exclude": []} if rule["id"] == "fire" else rule for rule in CAMERA["rules"]]
    redrawn = {**DOCUMENT, "cameras": [{**CAMERA, "rules": rules}]}
    assert differences(valid(DOCUMENT), valid(redrawn)) == (
        "cameras.cam-01.rules.fire.exclude: changed",
    )
    one_rule = {**DOCUMENT, "cameras": [{**CAMERA, "rules": CAMERA["rules"][:1]}]}
    assert differences(valid(DOCUMENT), valid(one_rule)) == ("cameras.cam-01.rules.fire: removed",)
    alone = {key: value for key, value in DOCUMENT.items() if key != "centre"}
    assert "centre.token: changed" in differences(valid(DOCUMENT), valid(alone))
    assert "centre.mqtt_port: 8883 → –" in differences(valid(DOCUMENT), valid(alone))


def test_a_long_value_is_cut():
    days = ", ".join(f"2026-{month:02}-{day:02}" for month in range(1, 13) for day in (1, 15))
    (line,) = changed(f"[box]\nholidays = [{days}]")
    assert line.endswith("…")
    assert len(line) < 300


keys = st.sampled_from(sorted(TUNABLE_OF_CAMERA - {"rules", "id"}))


@given(st.dictionaries(keys, st.integers() | st.text(max_size=5), max_size=4))
def test_a_patch_touches_what_it_names_and_nothing_else(patch):
    after = tuned(DOCUMENT, {"cameras": [{"id": "cam-01", **patch}]})
    others = {key: value for key, value in CAMERA.items() if key not in patch}
    assert after["cameras"][0] == {**others, **patch}
    assert {key: after[key] for key in DOCUMENT if key != "cameras"} == {
        key: DOCUMENT[key] for key in DOCUMENT if key != "cameras"
    }

"""What was tuned in one village, carried to another."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge import config
from edge.__main__ import main
from edge.errors import ConfigError
from edge.template import CARRIED, CARRIED_OF_CAMERA, applied, template_of
from edge.toml_text import toml_text
from tests.support.tools import ROOT

EXAMPLE = ROOT / "configs/edge.village.toml"

#: What is a village's own, or of one view: it stays there.
LEFT = {
    "box": {"id", "name", "region_code", "data_dir"},
    "centre": {"mqtt_host", "http_url", "token", "mqtt_ca_file"},
    "http": {"host", "port"},
    "recording": {"folder"},
    "detect": {"model_dirs"},
    "commands": {"may_set_clock", "time_service"},
}
LEFT_OF_CAMERA = {
    *("name", "grid_code", "place", "username", "password", "ground"),
    *("legal_basis", "retention_days", "retention_reason"),
}

VILLAGE = """
[box]
id = "shangcun-1"
name = "上村"
region_code = "539999100202"
data_dir = "/data"

[centre]
mqtt_host = "mq.example.org"
http_url = "https://centre.example.org"
token = { file = "/data/token" }

[[cameras]]
like = "cam-01"
host = "192.0.2.77"
id = "gate"
name = "上村村口"
grid_code = "539999100202003"
username = "viewer"
password = { file = "/data/gate" }
"""


def written(document):
    return tomllib.loads(toml_text(document))


def test_every_key_is_either_carried_or_left_where_it_is():
    """A new key is a decision: may other villages know it?"""
    fields = config.EdgeConfig.model_fields
    assert set(CARRIED) | {"cameras"} == set(fields)
    for name, keys in CARRIED.items():
        section = fields[name].annotation
        known = set(next(each for each in _models(section)).model_fields)
        assert keys is None or keys | LEFT.get(name, set()) == known
    assert set(config.CameraSection.model_fields) == CARRIED_OF_CAMERA | LEFT_OF_CAMERA


def _models(annotation):
    for each in (annotation, *getattr(annotation, "__args__", ())):
        if hasattr(each, "model_fields"):
            yield each


def test_nothing_of_the_village_is_in_its_template():
    text = toml_text(template_of(config.read(EXAMPLE)))
    own = ["192.0.2", "青石岭", "村口", "539999", "example.org", "/etc/", "/var/", "viewer"]
    assert [word for word in own if word in text] == []
    assert [word for word in ("password", "token", "ground", "polygon") if word in text] == []


def test_what_was_tuned_is():
    before = config.read(EXAMPLE)
    before["cameras"][0]["onvif_url"] = "http://192.0.2.10:8000/onvif/device_service"
    made = template_of(before)
    assert made["detect"]["fps"] == before["detect"]["fps"]
    (camera, *_) = made["cameras"]
    assert camera["main_url"] == "rtsp://{host}:554/Streaming/Channels/101"
    assert camera["onvif_url"] == "http://{host}:8000/onvif/device_service"
    assert [rule["id"] for rule in camera["rules"]] == [
        rule["id"] for rule in before["cameras"][0]["rules"]
    ]


@pytest.mark.parametrize("path", ["/user=admin&password=x", "/live?token=7", "/a;b", "/x@y"])
def test_an_address_that_may_tell_a_secret_is_left_out(path):
    camera = {"id": "gate", "main_url": f"rtsp://192.0.2.1{path}"}
    assert template_of({"cameras": [camera]}) == {"cameras": [{"id": "gate"}]}


def test_another_village_is_the_template_with_its_own_laid_over_it():
    template = written(template_of(config.read(EXAMPLE)))
    made = config.validated(written(applied(template, tomllib.loads(VILLAGE))), "village")
    before = config.load(EXAMPLE)
    (camera,) = made.cameras
    assert (camera.id, camera.name) == ("gate", "上村村口")
    assert camera.main_url == "rtsp://192.0.2.77:554/Streaming/Channels/101"
    assert made.detect.fps == before.detect.fps
    assert camera.gatherings[0].levels == before.cameras[0].gatherings[0].levels
    assert made.centre is not None
    assert made.centre.mqtt_host == "mq.example.org"


def test_a_camera_that_is_like_none_is_as_it_is_given():
    camera = {"id": "pond", "name": "水塘", "main_url": "rtsp://192.0.2.9/1"}
    assert applied({}, {"cameras": [camera]}) == {"cameras": [camera]}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('like = "cam-01"', 'like = "cam-77"', "must be a camera of the template"),
        ('host = "192.0.2.77"', "", "must say its 'host'"),
    ],
)
def test_what_is_missing_is_said(old, new, words):
    template = template_of(config.read(EXAMPLE))
    with pytest.raises(ConfigError, match=words):
        applied(template, tomllib.loads(VILLAGE.replace(old, new)))


def test_both_ways_on_the_command_line(tmp_path, capsys):
    assert main(["config", "export", "--template", "--config", str(EXAMPLE)]) == 0
    template, village = tmp_path / "template.toml", tmp_path / "village.toml"
    template.write_text(capsys.readouterr().out)
    village.write_text(VILLAGE)
    way = ["config", "from-template", "--template", str(template), "--village", str(village)]
    assert main(way) == 0
    made = tmp_path / "edge.toml"
    made.write_text(capsys.readouterr().out)
    assert config.load(made).box.name == "上村"
    village.write_text(VILLAGE.replace("539999100202003", "5"))
    assert main(way) == 1
    assert "grid_code" in capsys.readouterr().err


scalars = (
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.dates(min_value=date(1, 1, 1))
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text('ab-é. "', min_size=1), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc_é ", min_size=1), values, max_size=4))
def test_what_is_written_is_read_as_the_same(document):
    assert written(document) == document


def test_what_toml_has_not_is_refused():
    with pytest.raises(TypeError, match="PosixPath"):
        toml_text({"path": Path("/x")})

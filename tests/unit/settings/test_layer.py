"""What a layer may hold."""

from datetime import date
from pathlib import Path

import pytest

from edge.errors import ConfigError
from edge.settings.layer import Layer, laid_over, layer_of

FOLDER = Path("/data/settings")


def test_a_password_of_the_layer_is_below_the_settings_folder_unless_it_says_where():
    passwords = [{"file": "secrets/a-1"}, {"file": "/etc/b"}, {"env": "C"}, "wrong", None]
    listed = [{"id": f"c{number}", "password": each} for number, each in enumerate(passwords)]
    made = laid_over({}, layer_of({"cameras": listed[:4]}), FOLDER)
    assert [camera["password"] for camera in made["cameras"]] == [
        {"file": "/data/settings/secrets/a-1"},
        *passwords[1:4],
    ]


def test_what_a_file_can_not_say_is_left_out_or_said_as_it_can():
    camera = {"id": "gate", "sub_url": None, "rules": ({"id": "crowd", "exclude": None},)}
    layer = Layer().with_camera(camera).with_sections({"box": {"holidays": [date(2027, 2, 6)]}})
    assert layer.cameras == ({"id": "gate", "rules": [{"id": "crowd"}]},)
    assert layer.sections == {"box": {"holidays": ["2027-02-06"]}}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ({"camera": []}, "'camera': Extra inputs"),
        ({"cameras": [{"name": "x"}]}, "must have an 'id'"),
        ({"cameras": [{"id": "a/b"}]}, "must have an 'id'"),
        ({"cameras": [{"id": "a"}, {"id": "a"}]}, "given once"),
        ({"cameras": [{"id": "a"}], "removed": ["a"]}, "removed once"),
        ({"sections": {"http": {"port": 1}}}, "'http.port' stays"),
        ({"sections": {"centre": {"token": "x"}}}, "'centre.token' stays"),
        ({"sections": {"box": {"id": "x"}}}, "'box.id' stays"),
        ({"sections": {"boxes": {}}}, "'boxes' is no section"),
        ([], "valid dictionary"),
    ],
)
def test_what_is_no_layer_is_refused_by_name(document, words):
    with pytest.raises(ConfigError, match=words):
        layer_of(document)


def test_a_camera_without_an_id_is_refused_before_it_is_looked_for():
    with pytest.raises(ConfigError, match="must have an 'id'"):
        Layer().with_camera({"id": ["gate"]})

"""The systemd units, as far as what they promise depends on where it is written."""

from configparser import ConfigParser
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parents[3] / "systemd").glob("*.service"))


def read(path: Path) -> ConfigParser:
    unit = ConfigParser(interpolation=None, strict=False)
    unit.optionxform = str
    unit.read_string(path.read_text(encoding="utf-8"))
    return unit


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_service_that_fails_is_started_again_however_often(path):
    unit = read(path)
    assert unit["Service"]["Restart"] == "always"
    # In [Service] systemd ignores it, and gives up after five starts within ten seconds.
    assert unit["Unit"]["StartLimitIntervalSec"] == "0"
    assert not [key for key in unit["Service"] if key.startswith("StartLimit")]


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_service_that_fails_at_every_start_leaves_the_machine_room_to_breathe(path):
    assert read(path)["Service"]["RestartSec"] == "1"

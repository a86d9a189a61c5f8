"""What is measured beside bare onvif-zeep is the same work."""

import json

import pytest

from bench import onvif_cost
from bench.onvif_device import Device

QUESTIONS = ("GetDeviceInformation", "GetProfiles", "GetPresets", "GetImagingSettings")


@pytest.mark.parametrize("way", ["ours", "bare"])
def test_each_way_asks_every_camera_the_same_questions(way):
    with Device() as device:
        cost = onvif_cost.measure(way, device.port, 2)
        assert [len(device.asked(question)) for question in QUESTIONS] == [2, 2, 2, 2]
    assert cost["cameras"] == 2
    assert cost["rss_mb"] > 0


def test_the_last_line_has_both(capsys):
    assert onvif_cost.main(["--cameras", "1"]) == 0
    figures = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert set(figures) == {
        "cameras",
        *(f"{way}_{name}" for way in ("ours", "bare") for name in ("seconds", "cpu_s", "rss_mb")),
    }

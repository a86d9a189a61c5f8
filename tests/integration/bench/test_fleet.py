"""The benches of a fleet in short: on the broker that is there and a real PostgreSQL."""

import json

import pytest

from bench import delivery_speed, fleet_run

pytestmark = [pytest.mark.postgres, pytest.mark.mosquitto]


def last_line(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


def test_everything_a_fleet_sends_is_stored_once_and_shown(capsys):
    arguments = ["--events=400", "--senders=8", "--reports=6", "--boxes=20", "--down-s=0.5"]
    status = delivery_speed.main(arguments)
    figures = last_line(capsys)
    assert status == 0, figures
    assert (figures["events"], figures["boxes"], figures["faults"]) == (400, 20, [])
    assert figures["committed_ratio"] > 0
    assert figures["alerts_to_wall"] > 0


def test_lines_fail_and_the_broker_dies_and_nothing_is_lost(capsys):
    arguments = ["--boxes=20", "--seconds=4", "--alerts-per-s=20", "--outages-per-s=4"]
    status = fleet_run.main([*arguments, "--outage-s=1"])
    figures = last_line(capsys)
    assert status == 0, figures
    assert figures["events"] > 0
    assert figures["connections"] > figures["boxes"]  # they came back

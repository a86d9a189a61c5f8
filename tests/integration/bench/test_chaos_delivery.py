"""The bench in short: a few kills on each broker, and a small backlog of 72 hours."""

import json

import pytest

from bench.chaos_delivery import main
from village.broker.broker import BrokerKind


def last_line(capsys):
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize(
    "broker",
    [BrokerKind.EMBEDDED, pytest.param(BrokerKind.MOSQUITTO, marks=pytest.mark.mosquitto)],
    ids=str,
)
def test_nothing_is_lost_or_doubled_when_everything_is_killed(broker, capsys):
    arguments = ["--rounds=3", "--boxes=2", "--queued=0", "--seed=3", f"--broker={broker}"]
    status = main([*arguments, "--database=sqlite"])
    figures = last_line(capsys)
    assert status == 0, figures
    assert figures["generated"] == figures["stored"] > 0
    assert (figures["rounds"], figures["lost"], figures["doubled"]) == (3, 0, 0)


@pytest.mark.mosquitto
@pytest.mark.postgres
def test_nothing_is_lost_or_doubled_when_three_consumers_share_and_are_killed(capsys):
    status = main(["--rounds=2", "--boxes=2", "--queued=0", "--seed=3", "--replicas=3"])
    figures = last_line(capsys)
    assert status == 0, figures
    assert figures["generated"] == figures["stored"] > 0
    assert (figures["rounds"], figures["lost"], figures["doubled"]) == (2, 0, 0)
    assert figures["set_ups"] == ["mosquitto, postgresql, 3 consumers"]


def test_a_backlog_comes_in_order_and_an_alert_of_now_before_it(capsys):
    status = main(["--rounds=0", "--queued=300", "--seed=3"])
    figures = last_line(capsys)
    assert status == 0, figures
    assert (figures["outage_out_of_order"], figures["outage_not_late"]) == (0, 0)

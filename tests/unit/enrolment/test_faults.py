"""What is said of what can't be done."""

import pytest

from edge.enrolment.errand import (
    Examining,
    PictureSaid,
    ProbeSaid,
    Searching,
    Space,
    StepSaid,
    line,
    order_of,
    saying_of,
    written,
)
from edge.enrolment.faults import REFUSALS, fault_of, told
from edge.enrolment.request import Refusal

CAMERA = {
    "id": "gate",
    "name": "村口",
    "grid_code": "533102105203001",
    "main_url": "rtsp://192.0.2.10/main",
}
SPACE = Space(room_bytes=1, cameras=2, days=30)


@pytest.mark.parametrize("refusal", Refusal)
def test_every_refusal_has_words_in_both_languages(refusal):
    assert REFUSALS[refusal].zh
    assert REFUSALS[refusal].en


def test_of_several_keys_each_is_told():
    fault = fault_of({**CAMERA, "name": "", "grid_code": "1", "place": "长" * 61})
    assert fault is not None
    assert fault.zh == "名称要 1 至 24 个字;网格编码要 15 位数字;位置最长 60 个字"
    assert "'grid_code'" in fault.en
    assert fault_of(CAMERA) is None


def test_a_rule_of_several_keys_is_told_in_words():
    fault = fault_of({**CAMERA, "retention_days": 7})
    assert fault is not None
    assert "第十七条" in fault.zh


def test_settings_that_wait_are_told_in_words():
    said = "version 7 of the settings is on trial: wait for its end"
    assert told(said).zh == "主机正在试用另一次设置改动,请等它结束再改"


def test_what_has_no_words_of_its_own_is_told_as_it_is():
    assert told("'cameras.0.lost_after_s': too small").zh.endswith("too small")


@pytest.mark.parametrize(
    "order",
    [
        Searching(seconds=3, interfaces=("192.0.2.1",)),
        Examining(address="a", username="b", password="hunter2", space=SPACE),
    ],
)
def test_an_order_is_taken_as_it_was_given_and_never_shows_a_password(order):
    assert order_of(written(order)) == order
    assert "hunter2" not in repr(order)


@pytest.mark.parametrize("saying", [StepSaid(step="sub"), ProbeSaid(), PictureSaid(jpeg="/9j/")])
def test_a_saying_is_one_line_and_is_taken_as_it_was_said(saying):
    assert "\n" not in line(saying)
    assert saying_of(line(saying).encode()) == saying

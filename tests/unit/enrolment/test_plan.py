"""What becomes of a table's rows before anything is tried."""

import pytest

from edge.config import CameraSection
from edge.enrolment.plan import Planned, judged, verdicts
from edge.enrolment.sheet import rows

HEAD = "编号,名称,地址,网格,法律依据,参照"
GATE = CameraSection(
    id="gate", name="村口", grid_code="533102105203001", main_url="rtsp://192.0.2.10:554/Main"
)


def said(*lines: str, cameras=(GATE,)) -> list[str]:
    """Return in Chinese what speaks against each row; empty where nothing does."""
    found = verdicts(rows("\n".join([HEAD, *lines])), cameras)
    return ["" if each.fault is None else each.fault.zh for each in found]


def row(address: str, camera_id: str = "", like: str = "") -> str:
    return f"{camera_id},晒场,{address},533102105203002,第九条,{like}"


def test_a_row_that_nothing_speaks_against_is_planned_with_its_password_unshown():
    table = (
        "名称,地址,用户名,密码,网格,法律依据\n晒场,192.0.2.11,admin,hunter2,533102105203002,第九条"
    )
    (planned,) = judged(rows(table), [GATE])
    assert isinstance(planned, Planned)
    assert planned.asked.password == "hunter2"
    assert "hunter2" not in repr(planned)


@pytest.mark.parametrize(
    ("address", "is_there"),
    [
        ("192.0.2.10", True),
        ("http://192.0.2.10:80/onvif/device_service", True),
        ("192.0.2.10:8000", False),
        ("rtsp://192.0.2.10/Main", True),
        ("RTSP://192.0.2.10:554/Main", True),
        ("rtsp://192.0.2.10/main", False),
        ("rtsp://192.0.2.10:8554/Main", False),
        ("192.0.2.11", False),
    ],
)
def test_an_address_that_is_there_already_is_refused(address, is_there):
    (fault,) = said(row(address))
    assert bool(fault) is is_there
    if is_there:
        assert fault == "这个地址已经有了:gate"


def test_what_a_row_before_has_is_taken():
    first, again, other, doubled = said(
        row("192.0.2.11", "a"), row("192.0.2.11"), row("192.0.2.12", "b"), row("192.0.2.13", "a")
    )
    assert (first, other) == ("", "")
    assert "第 2 行" in again
    assert "已经有摄像机在用" in doubled


def test_a_row_that_is_refused_takes_nothing():
    assert said(row("192.0.2.11", "gate"), row("192.0.2.11", "a"))[1] == ""


def test_a_camera_that_one_is_to_be_like_must_be_there():
    assert said(row("192.0.2.11", like="gate")) == [""]
    assert "mill 不存在" in said(row("192.0.2.11", like="mill"))[0]


@pytest.mark.parametrize(
    ("line", "zh"),
    [
        (row("http://admin:pw@192.0.2.11"), "地址里不要写用户名和密码"),
        (row("two words"), "地址不正确"),
        (row("192.0.2.11", "Cam 1"), "编号只能用小写字母"),
        (
            ",长名称长名称长名称长名称长名称长名称长名称长名称长,a,533102105203002,第九条,",
            "24 个字",
        ),
        (",晒场,a,53310210520300,第九条,", "15 位数字"),
    ],
)
def test_what_is_wrong_with_a_row_by_itself_is_said_first(line, zh):
    assert zh in said(line)[0]


def test_a_box_has_64_cameras_at_most():
    cameras = [GATE.model_copy(update={"id": f"c{number}"}) for number in range(63)]
    assert said(row("192.0.2.11"), row("192.0.2.12"), cameras=cameras) == [
        "",
        "一台主机最多 64 台摄像机",
    ]

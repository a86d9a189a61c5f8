"""A table of cameras as people keep it."""

import pytest

from edge.enrolment.request import Watch
from edge.enrolment.sheet import COLUMNS, MOST_ROWS, SheetError, rows, text_of

HEAD = "名称,地址,用户名,密码,网格,位置,法律依据"
ROW = "晒场,192.168.1.64,admin,pass word ,533102105203002,东,第七条第一款"


def test_a_row_is_read_by_its_header_in_either_language():
    (row,) = rows(f"{HEAD}\n{ROW}\n")
    assert row.line == 2
    assert row.faults == ()
    assert row.facts() == {
        "name": "晒场",
        "grid_code": "533102105203002",
        "place": "东",
        "legal_basis": "art7_1",
    }
    assert row.cells["password"] == "pass word "
    english = HEAD
    for ours, names in COLUMNS.items():
        english = english.replace(names[0], ours)
    assert rows(f"{english}\n{ROW}\n") == (row,)


@pytest.mark.parametrize("delimiter", [";", "\t", ",", "，"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_what_spreadsheets_write_is_tolerated(delimiter, mark, end):
    text = mark + end.join([HEAD, "", ROW, ",,,,,,", ""]).replace(",", delimiter)
    (row,) = rows(text)
    assert (row.line, row.cells["name"]) == (3, "晒场")


def test_a_file_is_utf_8_or_what_chinese_windows_writes():
    text = f"{HEAD}\n{ROW}\n"
    assert text_of(text.encode()) == text
    assert text_of(text.encode("utf-8-sig")) == text
    assert text_of(text.encode("gbk")) == text
    with pytest.raises(SheetError, match="neither"):
        text_of(b"\x81\xff\xff")


def test_lines_are_counted_over_cells_of_several_lines():
    text = f"{HEAD}\n{ROW.replace('东', chr(34) + '东' + chr(10) + '侧' + chr(34))}\n{ROW}\n"
    assert [row.line for row in rows(text)] == [2, 4]


@pytest.mark.parametrize(
    ("text", "zh"),
    [
        ("", "缺少列"),
        (HEAD, "没有摄像机"),
        (f"{HEAD},颜色\n{ROW},红", "第 8 列不认识"),
        (f"{HEAD},name\n{ROW},a", "两列“名称”"),
        ("名称,地址\n晒场,192.168.1.64", "缺少列:网格、法律依据"),
        (f"{HEAD}\n" + f"{ROW}\n" * (MOST_ROWS + 1), "最多 64 台"),
    ],
)
def test_a_table_that_can_not_be_taken_says_why(text, zh):
    with pytest.raises(SheetError) as caught:
        rows(text)
    assert zh in caught.value.fault.zh
    assert caught.value.fault.en


@pytest.mark.parametrize(
    ("row", "zh"),
    [
        (",192.168.1.64,,,533102105203002,,第九条", "缺少“名称”"),
        ("晒场,,,,533102105203002,,第九条", "缺少“地址”"),
        ("晒场,a,admin,,533102105203002,,第九条", "要一起填"),
        ("晒场,a,,,5.33102E+14,,第九条", "科学计数法"),
        ("晒场,a,,,533102105203002,,第八条", "“法律依据”要填"),
        ("晒场,a,,,533102105203002,,第九条,多", "列比表头多"),
        (f"{'长' * 201},a,,,533102105203002,,第九条", "“名称”太长"),
    ],
)
def test_what_is_wrong_with_a_row_is_said_at_the_row(row, zh):
    (found,) = rows(f"{HEAD}\n{row}\n")
    assert any(zh in fault.zh for fault in found.faults)


@pytest.mark.parametrize(("cell", "is_fault"), [("30", False), ("一个月", True), ("", False)])
def test_days_are_a_number(cell, is_fault):
    (row,) = rows(f"{HEAD},保存天数\n{ROW},{cell}\n")
    assert bool(row.faults) is is_fault
    assert row.facts().get("retention_days") == (30 if cell == "30" else None)


@pytest.mark.parametrize(
    ("cell", "wish"), [("是", True), ("YES", True), ("否", None), ("", None), ("也许", None)]
)
def test_a_sub_stream_is_recorded_where_that_is_said(cell, wish):
    (row,) = rows(f"{HEAD},录子码流\n{ROW},{cell}\n")
    assert row.facts().get("record_sub") is wish
    assert bool(row.faults) is (cell == "也许")


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ("人员聚集、明火烟雾", {Watch.GATHERING, Watch.FIRE}),
        ("聚集", {Watch.GATHERING}),
        ("Fire", {Watch.FIRE}),
        ("gathering+fire", {Watch.GATHERING, Watch.FIRE}),
        ("无", set()),
        ("", None),
    ],
)
def test_what_a_camera_looks_for_is_said_in_words(cell, kinds):
    (row,) = rows(f"{HEAD},看什么\n{ROW},{cell}")
    assert (row.watch(), row.faults) == (kinds, ())


@pytest.mark.parametrize("cell", ["打架", "聚集、打架", "、"])
def test_what_no_camera_looks_for_is_a_fault(cell):
    (row,) = rows(f"{HEAD},看什么\n{ROW},{cell}")
    assert [fault.zh for fault in row.faults] == ["“看什么”要填:人员聚集、明火烟雾,或者无"]

"""A table of cameras as people keep it: CSV, with a header in Chinese or English. Pure."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from edge.enrolment.request import Watch

#: As many as a box has cameras.
MOST_ROWS: Final = 64
_MAX_CHARS: Final = 200
_DELIMITERS: Final = ",;\t，；"

#: What each column may be called, in lower case and without spaces; the first is what we call it.
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "id": ("编号", "id", "点位编号", "摄像机编号"),
    "name": ("名称", "name", "点位名称", "摄像机名称"),
    "address": ("地址", "address", "ip", "ip地址", "主码流", "rtsp", "rtsp_url", "url"),
    "sub": ("子码流", "sub", "rtsp_sub_url", "sub_url"),
    "username": ("用户名", "username", "user", "用户", "账号"),
    "password": ("密码", "password", "口令"),
    "grid_code": ("网格", "grid", "grid_code", "网格编码", "网格编号"),
    "place": ("位置", "place", "安装位置"),
    "legal_basis": ("法律依据", "legal_basis", "依据", "basis"),
    "retention_days": ("保存天数", "retention_days", "days", "天数", "留存天数"),
    "retention_reason": ("保存理由", "retention_reason", "天数理由"),
    "record_sub": ("录子码流", "record_sub"),
    "like": ("参照", "like", "同"),
    "watch": ("看什么", "watch", "告警"),
}
NEEDED: Final = ("name", "address", "grid_code", "legal_basis")
_NAMES: Final = {name: column for column, names in COLUMNS.items() for name in names}

_BASES: Final = {
    "第七条第一款": "art7_1",
    "第七条第二款": "art7_2",
    "第九条": "art9",
    "非公共场所": "non_public",
}
#: What a camera looks for, as it is written; several with 、 or + between them.
_WATCHES: Final = {
    "人员聚集": Watch.GATHERING,
    "聚集": Watch.GATHERING,
    "gathering": Watch.GATHERING,
    "明火烟雾": Watch.FIRE,
    "明火": Watch.FIRE,
    "烟火": Watch.FIRE,
    "fire": Watch.FIRE,
}
_NOTHING: Final = frozenset({"无", "不看", "none"})
_BETWEEN: Final = re.compile(r"[、+/,，;； ]+")
_YES: Final = frozenset({"是", "yes", "true", "1", "y", "√"})
_NO: Final = frozenset({"否", "no", "false", "0", "n"})
#: As spreadsheets end them; a cell may hold any other kind of line's end.
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_FLOATED: Final = re.compile(r"[0-9](\.[0-9]+)?e\+?[0-9]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, in both languages; never a value that may be a password."""

    zh: str
    en: str


class SheetError(ValueError):
    """The whole table can't be taken."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.en)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Row:
    """One camera of the table: the line it begins on, counted from 1, and its cells by column.

    Empty cells are left out. ``faults`` is what can be said of the row by itself.
    """

    line: int
    cells: Mapping[str, str] = field(repr=False)  # a password is among them
    faults: tuple[Fault, ...] = ()

    def facts(self) -> dict[str, object]:
        """Return what the configuration says of a camera in these words, by its own keys."""
        made: dict[str, object] = {
            key: self.cells[key]
            for key in ("name", "grid_code", "place", "retention_reason")
            if key in self.cells
        }
        if (basis := self.cells.get("legal_basis")) is not None:
            made["legal_basis"] = _BASES.get(basis, basis)
        if (days := self.cells.get("retention_days")) is not None and days.isdecimal():
            made["retention_days"] = int(days)
        if self.cells.get("record_sub", "").lower() in _YES:
            made["record_sub"] = True
        return made

    def watch(self) -> frozenset[Watch] | None:
        """Return what the camera is to look for; None where the table does not say it."""
        cell = self.cells.get("watch")
        return None if cell is None else frozenset(filter(None, _watched(cell)))


def text_of(data: bytes) -> str:
    """Return a file's text: UTF-8, or what Chinese Windows writes. Raises SheetError."""
    for coding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(coding)
        except UnicodeDecodeError:
            continue
    raise SheetError(
        Fault("文件编码无法识别,请另存为 UTF-8 的 CSV", "the file is neither UTF-8 nor GB 18030")
    )


def rows(text: str) -> tuple[Row, ...]:
    """Return the cameras of a table; empty lines are left out.

    Raises SheetError where there is no header to go by, a column is unknown or given twice, one
    that is needed is missing, or there are more than MOST_ROWS.
    """
    text = text.removeprefix("\ufeff")
    header_line = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=header_line.count)
    lines = _lines(text, delimiter)
    columns = _columns(next(lines, (0, []))[1])
    found: list[Row] = []
    for number, cells in lines:
        if len(found) == MOST_ROWS:
            raise SheetError(
                Fault(f"一次最多 {MOST_ROWS} 台", f"at most {MOST_ROWS} cameras at a time")
            )
        found.append(_row(number, cells, columns))
    if not found:
        raise SheetError(Fault("表里没有摄像机", "there is no camera in the table"))
    return tuple(found)


def _lines(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_LINE.findall(text), delimiter=delimiter)
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise SheetError(
            Fault(f"第 {begins} 行起无法按 CSV 读", f"from line {begins} on it is no CSV: {error}")
        ) from None


def _columns(header: list[str]) -> list[str]:
    columns: list[str] = []
    for cell in header:
        name = "".join(cell.split()).lower().rstrip("*")
        column = _NAMES.get(name)
        if column is None:
            # A table without a header begins with a camera: its cells are not repeated.
            known = "、".join(names[0] for names in COLUMNS.values())
            place = len(columns) + 1
            raise SheetError(
                Fault(
                    f"表头第 {place} 列不认识。可用的列:{known}",
                    f"column {place} of the header is unknown; known are {', '.join(COLUMNS)}",
                )
            )
        columns.append(column)
    doubled = next((each for each in columns if columns.count(each) > 1), None)
    if doubled is not None:
        zh, en = COLUMNS[doubled][0], doubled
        raise SheetError(Fault(f"表头有两列“{zh}”", f"there are two columns '{en}'"))
    missing = [each for each in NEEDED if each not in columns]
    if missing:
        names = "、".join(COLUMNS[each][0] for each in missing)
        raise SheetError(Fault(f"缺少列:{names}", f"columns are missing: {', '.join(missing)}"))
    return columns


def _row(number: int, cells: list[str], columns: list[str]) -> Row:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        fault = Fault("这一行的列比表头多", "the row has more cells than the header")
        return Row(number, {}, (fault,))
    named = zip(columns, cells, strict=False)
    # A password may begin or end with a space.
    given = {name: cell if name == "password" else cell.strip() for name, cell in named}
    known = {name: cell for name, cell in given.items() if cell}
    return Row(number, known, tuple(_faults(known)))


def _faults(cells: Mapping[str, str]) -> Iterator[Fault]:
    for name in NEEDED:
        if name not in cells:
            yield Fault(f"缺少“{COLUMNS[name][0]}”", f"'{name}' is missing")
    for name, cell in cells.items():
        if len(cell) > _MAX_CHARS:
            yield Fault(f"“{COLUMNS[name][0]}”太长", f"'{name}' is too long")
    if ("username" in cells) != ("password" in cells):
        yield Fault("用户名和密码要一起填", "'username' and 'password' go together")
    if _FLOATED.fullmatch(cells.get("grid_code", "")):
        yield Fault(
            "网格编码被表格软件改成了科学计数法,请把这一列设为文本再填",
            "'grid_code' was turned into a number by a spreadsheet: make the column text",
        )
    if not cells.get("retention_days", "1").isdecimal():
        yield Fault("“保存天数”要填整数", "'retention_days' must be a whole number")
    yield from _wrong_choices(cells)


def _wrong_choices(cells: Mapping[str, str]) -> Iterator[Fault]:
    if cells.get("record_sub", "否").lower() not in _YES | _NO:
        yield Fault("“录子码流”要填是或否", "'record_sub' must be yes or no")
    if None in _watched(cells.get("watch", "无")):
        yield Fault(
            "“看什么”要填:人员聚集、明火烟雾,或者无", "'watch' must be gathering+fire, or none"
        )
    basis = cells.get("legal_basis")
    if basis is not None and basis not in _BASES and basis not in _BASES.values():
        names = "、".join(_BASES)
        codes = ", ".join(_BASES.values())
        yield Fault(f"“法律依据”要填:{names}", f"'legal_basis' must be one of {codes}")


def _watched(cell: str) -> set[Watch | None]:
    """Return what a cell names; None is among it where a word is not understood."""
    if cell.lower() in _NOTHING:
        return set()
    return {_WATCHES.get(word) for word in _BETWEEN.split(cell.lower())}

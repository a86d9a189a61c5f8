"""The demo village: its grids, its people, its four cameras and what is watched there.

Everything here is made up: no such village, nobody of these names, no such telephone numbers.
"""

from dataclasses import dataclass

from protocol.messages import AlertLevel
from village.footage import MAIN_PX, View
from village.toml import Value

REGION_CODE = "539999100201"
VILLAGE = "青石岭村"
BOX_ID = "qingshiling-1"
BOX_NAME = "青石岭村工作站"
TIME_ZONE = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid: a villagers' group, and who looks after it."""

    number: int
    name: str
    worker_id: str

    @property
    def code(self) -> str:
        """The grid's 15 digits."""
        return f"{REGION_CODE}{self.number:03d}"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of the village's staff."""

    id: str
    name: str
    post: str
    phone: str


@dataclass(frozen=True, slots=True)
class Account:
    """A login. A wall's belongs to the screen, any other to a person."""

    username: str
    role: str
    name: str
    person_id: str | None


@dataclass(frozen=True, slots=True)
class Team:
    """Who has a day: person ids."""

    lead: str
    officer: str
    deputy: str
    standby: str


@dataclass(frozen=True, slots=True)
class Camera:
    """Where a camera stands, and the part of the footage it shows."""

    id: str
    name: str
    place: str
    grid: Grid
    view: View


_GRID_NAMES = ("上寨", "下寨", "大石桥", "老街", "新村", "桥头", "龙潭", "松林")
_WORKERS = ("周国强", "吴桂花", "郑志明", "孙丽萍", "马建军", "朱春梅", "胡永福", "林小燕")
_CADRES = (
    ("lead-1", "张建国", "村党支部书记"),
    ("lead-2", "李秀英", "村委会主任"),
    ("lead-3", "王德明", "村委会副主任"),
    ("cadre-1", "赵玉兰", "村委会委员"),
    ("cadre-2", "陈志强", "村委会委员"),
    ("cadre-3", "杨文涛", "驻村工作队员"),
    ("admin-1", "刘晓雯", "网格化信息管理员"),
)

GRIDS = tuple(
    Grid(number, f"第{'一二三四五六七八'[number - 1]}网格({name})", f"worker-{number}")
    for number, name in enumerate(_GRID_NAMES, start=1)
)
PEOPLE = tuple(
    Person(person_id, name, post, f"1380000{number:04d}")
    for number, (person_id, name, post) in enumerate(
        (*_CADRES, *((f"worker-{n}", name, "网格员") for n, name in enumerate(_WORKERS, start=1))),
        start=1,
    )
)

ACCOUNTS = (
    Account("wall", "wall", "值班室大屏", None),
    Account("duty", "duty", "值班员", "cadre-1"),
    Account("admin", "admin", "网格化信息管理员", "admin-1"),
)

#: Cadres and the information administrator take turns by the day (S2), a grid worker on call.
_LEADS = ("lead-1", "lead-2", "lead-3")
_OFFICERS = ("cadre-1", "cadre-2", "cadre-3", "admin-1")
_TEAM_COUNT = 24  # days until leads (3), officers (4) and grid workers (8) come round together
TEAMS = tuple(
    Team(
        _LEADS[day % 3],
        _OFFICERS[day % 4],
        _OFFICERS[(day + 1) % 4],
        f"worker-{day % 8 + 1}",
    )
    for day in range(_TEAM_COUNT)
)

CAMERAS = (
    Camera("cam-01", "村口三岔路口", "村口路灯杆", GRIDS[0], View("cam-01")),
    Camera(
        "cam-02",
        "文化广场北侧",
        "广场公示栏旁",
        GRIDS[1],
        View("cam-02", 0, 68, 524, 460, begin=112, end=504),
    ),
    Camera(
        "cam-03",
        "大石桥路口",
        "桥头电杆",
        GRIDS[2],
        View("cam-03", 230, 114, 768, 518, mirrored=True, begin=400, end=792),
    ),
    Camera(
        "cam-04",
        "老街卫生室门前",
        "卫生室屋檐",
        GRIDS[3],
        View("cam-04", 76, 172, 614, 576, mirrored=True, begin=280, end=672),
    ),
)

#: Four points of the scene's ground: pixels of the whole picture, and metres. Of a homography
#: fitted to 4 476 feet of the published annotation (median error 3 cm), laid to the last point.
GROUND_PX_METRES = (
    ((200, 250), (11.25, 7.30)),
    ((600, 250), (15.04, -1.26)),
    ((700, 520), (3.87, -7.10)),
    ((60, 520), (0.0, 0.0)),
)


def ground() -> list[Value]:
    """Return the ground points of cam-01 as the edge's configuration takes them."""
    width, height = MAIN_PX
    return [
        {"image": (round(x / width, 6), round(y / height, 6)), "metres": metres}
        for (x, y), metres in GROUND_PX_METRES
    ]


def gathering_close() -> dict[str, Value]:
    """Return cam-01's rule: three people within 2 m of the next for 5 s, as the footage has it."""
    return {
        "kind": "gathering",
        "id": "gathering",
        "mode": "close_together",
        "levels": {AlertLevel.URGENT.value: 3},
        "radius_m": 2.0,
        "hold_s": 5.0,
        "gap_s": 0.6,
        "clear_fraction": 1.0,
        "clear_s": 5.0,
        "repeat_s": 0.0,
    }


def gathering_count() -> dict[str, Value]:
    """Return the rule of every other camera: the product's own defaults, 15 people for 60 s."""
    return {"kind": "gathering", "id": "gathering"}


def fire() -> dict[str, Value]:
    """Return the rule of flame and smoke that every camera has: the product's own defaults."""
    return {"kind": "fire", "id": "fire"}

"""The words of points (点位) and their filing (备案), in Chinese and English (Regulation 799)."""

from enum import StrEnum

from central.codes import Label, Labels
from protocol.messages import LegalBasis


class PointState(StrEnum):
    """Where a point stands. A camera without a point is ``unregistered``: never kept, only said."""

    UNREGISTERED = "unregistered"
    DRAFT = "draft"
    TRIAL = "trial"
    IN_USE = "in_use"
    RETIRED = "retired"


class PlaceType(StrEnum):
    """What kind of place a camera looks at."""

    CROSSROADS = "crossroads"
    ROAD = "road"
    GATE = "gate"
    BRIDGE = "bridge"
    SQUARE = "square"
    COMMITTEE = "committee"
    SCHOOL = "school"
    MARKET = "market"
    WATER = "water"
    FOREST = "forest"
    STORE = "store"
    OTHER = "other"


class DeviceType(StrEnum):
    """What kind of device takes the pictures."""

    FIXED = "fixed"
    DOME = "dome"
    PTZ = "ptz"
    PANORAMIC = "panoramic"
    OTHER = "other"


class Item(StrEnum):
    """What whoever signs the checklist confirms: the camera is in none of these places."""

    GUEST_ROOMS = "guest_rooms"
    DORMITORIES = "dormitories"
    BATHS = "baths"
    TOILETS = "toilets"
    CHANGING_ROOMS = "changing_rooms"
    NURSING_ROOMS = "nursing_rooms"
    PRIVACY = "privacy"
    RANGE = "range"


class Lack(StrEnum):
    """What a point still needs."""

    PLACE_TYPE = "place_type"
    LEGAL_BASIS = "legal_basis"
    MANAGER_UNIT = "manager_unit"
    CHECKLIST = "checklist"
    INSTALLED_ON = "installed_on"
    SIGN_PHOTO = "sign_photo"


class FilingState(StrEnum):
    """Where a village's system stands with its filing (article 14)."""

    NOT_FILED = "not_filed"
    FILED = "filed"
    CHANGE_NEEDED = "change_needed"
    EXEMPT = "exempt"


class Fact(StrEnum):
    """What of a filing changed."""

    ADDED = "added"
    REMOVED = "removed"
    UNIT = "unit"
    PLACE = "place"
    TYPE = "type"
    RETENTION = "retention"


POINT_STATES: Labels = {
    PointState.UNREGISTERED: Label("未建档", "not registered"),
    PointState.DRAFT: Label("草稿", "draft"),
    PointState.TRIAL: Label("试运行", "trial run"),
    PointState.IN_USE: Label("已启用", "in use"),
    PointState.RETIRED: Label("已停用", "retired"),
}

PLACE_TYPES: Labels = {
    PlaceType.CROSSROADS: Label("主要路口", "main crossroads"),
    PlaceType.ROAD: Label("道路路段", "stretch of road"),
    PlaceType.GATE: Label("村口", "entrance of the village"),
    PlaceType.BRIDGE: Label("桥梁", "bridge"),
    PlaceType.SQUARE: Label("广场", "square"),
    PlaceType.COMMITTEE: Label("村委会、公共服务场所", "village committee, public service"),
    PlaceType.SCHOOL: Label("学校周边", "around a school"),
    PlaceType.MARKET: Label("集市、商铺", "market, shops"),
    PlaceType.WATER: Label("水库、河道", "reservoir, river"),
    PlaceType.FOREST: Label("林区、防火重点", "forest, fire risk"),
    PlaceType.STORE: Label("仓库、设备间", "store, equipment room"),
    PlaceType.OTHER: Label("其他(请备注)", "other (add a note)"),
}

LEGAL_BASES: Labels = {
    LegalBasis.ARTICLE_7_1: Label(
        "第七条第一款:政府规划建设的公共场所", "article 7 (1): public places planned by government"
    ),
    LegalBasis.ARTICLE_7_2: Label(
        "第七条第二款:经营管理单位建设的人员聚集场所",
        "article 7 (2): crowded places, by their operator",
    ),
    LegalBasis.ARTICLE_9: Label(
        "第九条:负有安全防范义务的其他公共场所",
        "article 9: other public places, by who must keep them safe",
    ),
    LegalBasis.NON_PUBLIC: Label("第三十三条:非公共场所", "article 33: not a public place"),
}

DEVICE_TYPES: Labels = {
    DeviceType.FIXED: Label("固定枪机", "fixed camera"),
    DeviceType.DOME: Label("半球", "dome"),
    DeviceType.PTZ: Label("云台球机", "pan-tilt-zoom"),
    DeviceType.PANORAMIC: Label("全景", "panoramic"),
    DeviceType.OTHER: Label("其他", "other"),
}

CHECKLIST: Labels = {
    Item.GUEST_ROOMS: Label(
        "不在旅馆、民宿、饭店的客房或包间内", "not inside guest rooms or private dining rooms"
    ),
    Item.DORMITORIES: Label(
        "不在宿舍或供人住宿、休息的房间内", "not inside dormitories or rooms to sleep or rest in"
    ),
    Item.BATHS: Label("不在公共浴室内", "not inside public baths"),
    Item.TOILETS: Label("不在卫生间内", "not inside toilets"),
    Item.CHANGING_ROOMS: Label("不在更衣室、试衣间内", "not inside changing or fitting rooms"),
    Item.NURSING_ROOMS: Label("不在哺乳室内", "not inside nursing rooms"),
    Item.PRIVACY: Label(
        "拍不到、听不到他人隐私(住户门窗内、院内等)",
        "nothing private is seen or heard (inside homes, yards and the like)",
    ),
    Item.RANGE: Label(
        "位置、角度和范围限于公共安全所需", "position, angle and range are no more than needed"
    ),
}

LACKS: Labels = {
    Lack.PLACE_TYPE: Label("场所类型", "kind of place"),
    Lack.LEGAL_BASIS: Label("法律依据", "legal basis"),
    Lack.MANAGER_UNIT: Label("系统管理单位", "managing unit"),
    Lack.CHECKLIST: Label("禁装区域核对并签名", "the signed checklist"),
    Lack.INSTALLED_ON: Label("安装日期", "day of installation"),
    Lack.SIGN_PHOTO: Label("提示标识照片", "photo of the notice sign"),
}

FILING_STATES: Labels = {
    FilingState.NOT_FILED: Label("未备案", "not filed"),
    FilingState.FILED: Label("已备案", "filed"),
    FilingState.CHANGE_NEEDED: Label("需变更备案", "change to be filed"),
    FilingState.EXEMPT: Label("免予备案", "exempt"),
}

FACTS: Labels = {
    Fact.ADDED: Label("新增点位", "camera added"),
    Fact.REMOVED: Label("减少点位", "camera removed"),
    Fact.UNIT: Label("管理单位", "managing unit"),
    Fact.PLACE: Label("建设位置", "place"),
    Fact.TYPE: Label("设备类型", "type of device"),
    Fact.RETENTION: Label("存储期限", "retention"),
}

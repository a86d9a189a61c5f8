"""The words of the centre: every code a person may see, in Chinese and English (domain 3 and 4)."""

from dataclasses import dataclass
from enum import StrEnum

from protocol.messages import AlertKind, AlertLevel, AlertMode


class AlertState(StrEnum):
    """Where an alert stands with people (domain 3.1.1). Whether it goes on is ``ended_at``."""

    NEW = "NEW"
    ACKED = "ACKED"
    CONFIRMED = "CONFIRMED"
    FALSE = "FALSE"
    KNOWN = "KNOWN"


class EvidencePlace(StrEnum):
    """Where a picture or clip lies."""

    DISK = "disk"
    S3 = "s3"


class IncidentState(StrEnum):
    """Where an incident stands (domain 3.1.2, the village's own part)."""

    ACCEPTED = "ACCEPTED"
    HANDLING = "HANDLING"
    FEEDBACK = "FEEDBACK"
    CLOSED = "CLOSED"


class FalseReason(StrEnum):
    """Why an alert was none (domain 3.1.1). ``other`` needs a note."""

    COOKING_SMOKE = "cooking_smoke"
    RITUAL_BURNING = "ritual_burning"
    PERMITTED_BURNING = "permitted_burning"
    LIGHT_REFLECTION = "light_reflection"
    HEADLIGHTS = "headlights"
    SUNSET = "sunset"
    FOG = "fog"
    INSECTS = "insects"
    RAIN_SNOW = "rain_snow"
    RED_OBJECT = "red_object"
    SHAKING = "shaking"
    MISCOUNT = "miscount"
    OTHER = "other"


class Category(StrEnum):
    """What an incident is about (domain 3.3: the upward table's own ten, without one of them)."""

    FIRE = "fire"
    TRAFFIC = "traffic"
    DISASTER = "disaster"
    CROWD_SAFETY = "crowd_safety"
    REQUEST = "request"
    EQUIPMENT = "equipment"
    DISPUTE = "dispute"
    PUBLIC_ORDER = "public_order"
    EPIDEMIC = "epidemic"
    OTHER = "other"


class Post(StrEnum):
    """What a person does in a shift, in order of rank (domain 3.6)."""

    LEAD = "lead"
    OFFICER = "officer"
    DEPUTY = "deputy"
    STANDBY = "standby"


class Role(StrEnum):
    """What a session may do."""

    WALL = "wall"
    DUTY = "duty"
    ADMIN = "admin"


class BoxState(StrEnum):
    """A box by the age of its last sign of life (60 s rhythm, gone after 180 s)."""

    ONLINE = "online"
    LATE = "late"
    LOST = "lost"


class CameraShown(StrEnum):
    """A camera as the interface shows it: what its box says, or unknown while the box is lost."""

    LIVE = "live"
    LOST = "lost"
    CONNECTING = "connecting"
    UNKNOWN = "unknown"


class CommandState(StrEnum):
    """Where a command to a box stands (protocol I21)."""

    QUEUED = "queued"  # it was never given
    SENT = "sent"  # it was given, and no word has come
    ACCEPTED = "accepted"  # the box is at it
    DONE = "done"
    REFUSED = "refused"  # the box would not
    FAILED = "failed"  # the box tried
    EXPIRED = "expired"  # not done in time, and certainly not to be done any more
    UNANSWERED = "unanswered"  # given, and nobody knows


class FeedKind(StrEnum):
    """What a row of the live feed is about."""

    ALERT = "alert"
    EVIDENCE = "evidence"
    CAMERA = "camera"
    BOX = "box"
    DUTY = "duty"
    INCIDENT = "incident"
    ACTIVITY = "activity"


class GapReason(StrEnum):
    """Why a stretch of time has no recording: the box's own words, in its timeline's answer."""

    CAMERA = "camera"
    NETWORK = "network"
    TIMESTAMPS = "timestamps"
    PARAMETERS = "parameters"
    BOX_OFF = "box_off"
    DISK = "disk"
    OPERATOR = "operator"
    CONFIG = "config"


class ActivityKind(StrEnum):
    """What a planned event is (domain 4.3)."""

    WEDDING = "wedding"
    MARKET = "market"
    DANCE = "dance"
    TEMPLE = "temple"
    BUILDING = "building"
    SCHOOL = "school"
    OTHER = "other"


class ActivityState(StrEnum):
    """Where a planned event stands. Only one that somebody else approved has any effect."""

    WAITING = "waiting"
    PLANNED = "planned"
    ON = "on"
    OVER = "over"
    CANCELLED = "cancelled"


class Leaving(StrEnum):
    """Why an alert is no longer a planned event's."""

    EXCEEDED = "exceeded"
    OVER = "over"


class ExampleAct(StrEnum):
    """What became of examples: the first two by a person, the others by themselves."""

    EXPORTED = "exported"
    DELETED = "deleted"
    EXPIRED = "expired"  # older than they are kept
    DROPPED = "dropped"  # the oldest, where there were too many
    REFUSED = "refused"  # what the box had sent was no picture


class Device(StrEnum):
    """Where a person signed."""

    WALL = "wall"
    PC = "pc"
    PHONE = "phone"


class UpgradeRing(StrEnum):
    """When a box gets a new version: an upgrade goes from ring to ring."""

    PILOT = "pilot"
    EARLY = "early"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class Label:
    """A code's words."""

    zh: str
    en: str


Labels = dict[StrEnum, Label]

KINDS: Labels = {
    AlertKind.GATHERING: Label("人员聚集", "gathering"),
    AlertKind.FLAME: Label("明火", "open flame"),
    AlertKind.SMOKE: Label("烟雾", "smoke"),
    AlertKind.CAMERA_LOST: Label("点位离线", "camera offline"),
    AlertKind.DETECTOR_DOWN: Label("检测停止", "detector stopped"),
    AlertKind.STORAGE: Label("存储故障", "storage fault"),
    AlertKind.OUTBOX: Label("告警积压", "alerts pile up"),
    AlertKind.LENS_COVERED: Label("镜头遮挡", "lens covered"),
    AlertKind.PICTURE_BLURRED: Label("图像模糊", "picture blurred"),
    AlertKind.CAMERA_MOVED: Label("画面偏移", "camera moved"),
    AlertKind.PICTURE_FROZEN: Label("画面冻结", "picture frozen"),
    AlertKind.PICTURE_OVEREXPOSED: Label("画面过曝", "picture overexposed"),
    AlertKind.PICTURE_UNDEREXPOSED: Label("画面过暗", "picture too dark"),
    AlertKind.CAMERA_CLOCK: Label("时间偏差", "camera clock wrong"),
}

LEVELS: Labels = {
    AlertLevel.ORDINARY: Label("一般", "ordinary"),
    AlertLevel.URGENT: Label("紧急", "urgent"),
    AlertLevel.EXTRA_URGENT: Label("特急", "extra urgent"),
}

MODES: Labels = {
    AlertMode.LIVE: Label("正式", "live"),
    AlertMode.TRIAL: Label("试运行", "trial run"),
    AlertMode.DRILL: Label("演练", "drill"),
}

ALERT_STATES: Labels = {
    AlertState.NEW: Label("待签收", "to be signed"),
    AlertState.ACKED: Label("已签收·核实中", "signed, being verified"),
    AlertState.CONFIRMED: Label("属实", "true"),
    AlertState.FALSE: Label("误报", "false alarm"),
    AlertState.KNOWN: Label("已知活动", "known event"),
}

FALSE_REASONS: Labels = {
    FalseReason.COOKING_SMOKE: Label("炊烟", "cooking smoke"),
    FalseReason.RITUAL_BURNING: Label("烧纸祭祀", "burning for the dead"),
    FalseReason.PERMITTED_BURNING: Label("焚烧垃圾(许可)", "permitted burning of rubbish"),
    FalseReason.LIGHT_REFLECTION: Label("灯光反光", "reflected light"),
    FalseReason.HEADLIGHTS: Label("车灯", "headlights"),
    FalseReason.SUNSET: Label("夕阳", "sunset"),
    FalseReason.FOG: Label("雾气水汽", "fog or steam"),
    FalseReason.INSECTS: Label("飞虫蛛网", "insects or cobwebs"),
    FalseReason.RAIN_SNOW: Label("雨雪", "rain or snow"),
    FalseReason.RED_OBJECT: Label("红色物体", "red object"),
    FalseReason.SHAKING: Label("画面抖动", "shaking picture"),
    FalseReason.MISCOUNT: Label("人数误判", "people miscounted"),
    FalseReason.OTHER: Label("其他", "other"),
}

CATEGORIES: Labels = {
    Category.FIRE: Label("火灾事故", "fire"),
    Category.TRAFFIC: Label("交通事故", "traffic accident"),
    Category.DISASTER: Label("自然灾害", "natural disaster"),
    Category.CROWD_SAFETY: Label("人员聚集·公共安全", "crowd and public safety"),
    Category.REQUEST: Label("群众诉求", "villagers' request"),
    Category.EQUIPMENT: Label("设备故障", "equipment fault"),
    Category.DISPUTE: Label("矛盾纠纷", "dispute"),
    Category.PUBLIC_ORDER: Label("治安刑事案件", "public order (police called)"),
    Category.EPIDEMIC: Label("疑似疫情", "suspected epidemic"),
    Category.OTHER: Label("其他", "other"),
}

INCIDENT_STATES: Labels = {
    IncidentState.ACCEPTED: Label("已受理", "accepted"),
    IncidentState.HANDLING: Label("处置中", "being handled"),
    IncidentState.FEEDBACK: Label("已反馈·待核查", "reported done, to be checked"),
    IncidentState.CLOSED: Label("已办结", "closed"),
}

POSTS: Labels = {
    Post.LEAD: Label("带班领导", "lead on duty"),
    Post.OFFICER: Label("值班员", "duty officer"),
    Post.DEPUTY: Label("副班", "deputy"),
    Post.STANDBY: Label("备勤", "standby"),
}

GAP_REASONS: Labels = {
    GapReason.CAMERA: Label("探头无信号", "camera sent nothing"),
    GapReason.NETWORK: Label("网络中断", "network broken"),
    GapReason.TIMESTAMPS: Label("探头时钟跳变", "camera's clock jumped"),
    GapReason.PARAMETERS: Label("画面参数改变", "stream parameters changed"),
    GapReason.BOX_OFF: Label("主机未运行", "box not running"),
    GapReason.DISK: Label("硬盘故障", "disk fault"),
    GapReason.OPERATOR: Label("人工停录", "switched off by a person"),
    GapReason.CONFIG: Label("点位撤除或改设置", "camera removed or changed"),
}

ACTIVITY_KINDS: Labels = {
    ActivityKind.WEDDING: Label("婚宴", "wedding"),
    ActivityKind.MARKET: Label("集市", "market"),
    ActivityKind.DANCE: Label("广场舞", "square dancing"),
    ActivityKind.TEMPLE: Label("庙会", "temple fair"),
    ActivityKind.BUILDING: Label("施工", "building work"),
    ActivityKind.SCHOOL: Label("放学", "school ends"),
    ActivityKind.OTHER: Label("其他", "other"),
}

ACTIVITY_STATES: Labels = {
    ActivityState.WAITING: Label("待批准", "to be approved"),
    ActivityState.PLANNED: Label("未开始", "planned"),
    ActivityState.ON: Label("进行中", "going on"),
    ActivityState.OVER: Label("已结束", "over"),
    ActivityState.CANCELLED: Label("已取消", "cancelled"),
}

#: What an incident is about where nobody said: by the alert's kind.
CATEGORY_OF_KIND = {
    AlertKind.GATHERING: Category.CROWD_SAFETY,
    AlertKind.FLAME: Category.FIRE,
    AlertKind.SMOKE: Category.FIRE,
    AlertKind.CAMERA_LOST: Category.EQUIPMENT,
    AlertKind.DETECTOR_DOWN: Category.EQUIPMENT,
    AlertKind.STORAGE: Category.EQUIPMENT,
    AlertKind.OUTBOX: Category.EQUIPMENT,
    AlertKind.LENS_COVERED: Category.EQUIPMENT,
    AlertKind.PICTURE_BLURRED: Category.EQUIPMENT,
    AlertKind.CAMERA_MOVED: Category.EQUIPMENT,
    AlertKind.PICTURE_FROZEN: Category.EQUIPMENT,
    AlertKind.PICTURE_OVEREXPOSED: Category.EQUIPMENT,
    AlertKind.PICTURE_UNDEREXPOSED: Category.EQUIPMENT,
    AlertKind.CAMERA_CLOCK: Category.EQUIPMENT,
}


#: Levels from low to high.
RANK = {AlertLevel.ORDINARY: 1, AlertLevel.URGENT: 2, AlertLevel.EXTRA_URGENT: 3}

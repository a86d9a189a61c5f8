"""What the doctor can find, each with an id for ever and how bad it is. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum


class Severity(StrEnum):
    """How bad a finding is, best first."""

    OK = "ok"
    NOTE = "note"  # nothing is wrong; somebody may want to know, or to set it better
    WARN = "warn"  # it works, but something is lost, or soon will be
    FAIL = "fail"  # something that the box is there for does not work

    @property
    def rank(self) -> int:
        """The place in the order: 0 is the best."""
        return list(Severity).index(self)


class Kind(Enum):
    """Every finding there is: its id and its severity. The words are in ``texts.toml``."""

    EXAMINATION_LATE = "examination.late", Severity.WARN
    EXAMINATION_FAILED = "examination.failed", Severity.WARN

    BOX_FINE = "box.fine", Severity.OK
    BOX_CONFIG_INVALID = "box.config_invalid", Severity.FAIL
    BOX_SECRET_UNREADABLE = "box.secret_unreadable", Severity.FAIL
    BOX_SETTINGS_UNUSED = "box.settings_unused", Severity.WARN
    BOX_SETTINGS_UNDONE = "box.settings_undone", Severity.NOTE
    BOX_SETTINGS_CHANGED = "box.settings_changed", Severity.OK
    BOX_STOPPED = "box.stopped", Severity.FAIL
    BOX_SILENT = "box.silent", Severity.FAIL
    BOX_PART_DOWN = "box.part_down", Severity.FAIL
    BOX_PART_DEGRADED = "box.part_degraded", Severity.WARN
    BOX_NOT_AT_BOOT = "box.not_at_boot", Severity.WARN
    BOX_RESTARTS = "box.restarts", Severity.WARN
    BOX_MEMORY_SHORT = "box.memory_short", Severity.WARN
    BOX_HOT = "box.hot", Severity.WARN

    CAMERA_FINE = "camera.fine", Severity.OK
    CAMERA_STREAM = "camera.stream", Severity.OK
    CAMERA_OFF = "camera.off", Severity.NOTE
    CAMERA_NAME_UNKNOWN = "camera.name_unknown", Severity.FAIL
    CAMERA_UNREACHABLE = "camera.unreachable", Severity.FAIL
    CAMERA_PORT_CLOSED = "camera.port_closed", Severity.FAIL
    CAMERA_NOT_RTSP = "camera.not_rtsp", Severity.FAIL
    CAMERA_PASSWORD_MISSING = "camera.password_missing", Severity.FAIL
    CAMERA_PASSWORD_UNREADABLE = "camera.password_unreadable", Severity.FAIL
    CAMERA_PASSWORD_WRONG = "camera.password_wrong", Severity.FAIL
    CAMERA_LOCKED = "camera.locked", Severity.FAIL
    CAMERA_PATH_WRONG = "camera.path_wrong", Severity.FAIL
    CAMERA_REFUSED = "camera.refused", Severity.FAIL
    CAMERA_CODEC_UNSUPPORTED = "camera.codec_unsupported", Severity.FAIL
    CAMERA_NO_PICTURE = "camera.no_picture", Severity.FAIL
    CAMERA_CLOCK_WRONG = "camera.clock_wrong", Severity.FAIL
    CAMERA_CLOCK_OFF = "camera.clock_off", Severity.WARN
    CAMERA_SUB_ABSENT = "camera.sub_absent", Severity.WARN
    CAMERA_SUB_NOT_H264 = "camera.sub_not_h264", Severity.WARN
    CAMERA_SUB_TOO_LARGE = "camera.sub_too_large", Severity.WARN
    CAMERA_MAIN_H265 = "camera.main_h265", Severity.NOTE
    CAMERA_PROFILE_ODD = "camera.profile_odd", Severity.WARN
    CAMERA_B_FRAMES = "camera.b_frames", Severity.NOTE
    CAMERA_GOP_LONG = "camera.gop_long", Severity.WARN
    CAMERA_FRAMES_MISSING = "camera.frames_missing", Severity.WARN
    CAMERA_LATE = "camera.late", Severity.WARN
    CAMERA_RATE_HIGH = "camera.rate_high", Severity.NOTE

    DISK_FINE = "disk.fine", Severity.OK
    DISK_MISSING = "disk.missing", Severity.FAIL
    DISK_HANGS = "disk.hangs", Severity.FAIL
    DISK_READ_ONLY = "disk.read_only", Severity.FAIL
    DISK_NOT_WRITABLE = "disk.not_writable", Severity.FAIL
    DISK_NETWORK_DATABASE = "disk.network_database", Severity.FAIL
    DISK_FULL = "disk.full", Severity.FAIL
    DISK_INODES_SHORT = "disk.inodes_short", Severity.WARN
    DISK_QUOTA_TOO_LARGE = "disk.quota_too_large", Severity.WARN
    DISK_DAYS_SHORT = "disk.days_short", Severity.WARN
    DISK_WORN = "disk.worn", Severity.WARN
    DISK_FAILING = "disk.failing", Severity.FAIL
    DISK_SLOW = "disk.slow", Severity.WARN
    DISK_SPEED = "disk.speed", Severity.OK
    DISK_WRITE_FAILED = "disk.write_failed", Severity.FAIL

    CLOCK_FINE = "clock.fine", Severity.OK
    CLOCK_IMPLAUSIBLE = "clock.implausible", Severity.FAIL
    CLOCK_UNSYNCHRONISED = "clock.unsynchronised", Severity.WARN
    CLOCK_WRONG = "clock.wrong", Severity.FAIL
    CLOCK_OFF = "clock.off", Severity.WARN
    CLOCK_NO_RTC = "clock.no_rtc", Severity.NOTE
    CLOCK_RTC_OFF = "clock.rtc_off", Severity.WARN

    NETWORK_FINE = "network.fine", Severity.OK
    NETWORK_TRIP = "network.trip", Severity.OK
    NETWORK_NO_ROUTE = "network.no_route", Severity.FAIL
    NETWORK_NAME_UNKNOWN = "network.name_unknown", Severity.FAIL
    NETWORK_UNREACHABLE = "network.unreachable", Severity.FAIL
    NETWORK_LOSSY = "network.lossy", Severity.WARN
    NETWORK_SLOW = "network.slow", Severity.WARN
    NETWORK_MTU_SMALL = "network.mtu_small", Severity.NOTE
    NETWORK_MOBILE = "network.mobile", Severity.NOTE
    NETWORK_LINK_SLOW = "network.link_slow", Severity.WARN

    TLS_EXPIRED = "tls.expired", Severity.FAIL
    TLS_NOT_YET_VALID = "tls.not_yet_valid", Severity.FAIL
    TLS_UNTRUSTED = "tls.untrusted", Severity.FAIL
    TLS_WRONG_NAME = "tls.wrong_name", Severity.FAIL
    TLS_FAILED = "tls.failed", Severity.FAIL
    TLS_EXPIRES_SOON = "tls.expires_soon", Severity.WARN
    TLS_NONE = "tls.none", Severity.WARN

    BROKER_FINE = "broker.fine", Severity.OK
    BROKER_UNREACHABLE = "broker.unreachable", Severity.FAIL
    BROKER_REFUSED = "broker.refused", Severity.FAIL
    BROKER_SILENT = "broker.silent", Severity.FAIL
    BROKER_TOPIC_REFUSED = "broker.topic_refused", Severity.FAIL
    BROKER_BACKLOG = "broker.backlog", Severity.WARN

    CENTRE_FINE = "centre.fine", Severity.OK
    CENTRE_ABSENT = "centre.absent", Severity.NOTE
    CENTRE_UNREACHABLE = "centre.unreachable", Severity.FAIL
    CENTRE_OTHER = "centre.other", Severity.FAIL
    CENTRE_DEGRADED = "centre.degraded", Severity.WARN
    CENTRE_TOKEN_REFUSED = "centre.token_refused", Severity.FAIL

    MODEL_FINE = "model.fine", Severity.OK
    MODEL_OFF = "model.off", Severity.NOTE
    MODEL_MISSING = "model.missing", Severity.FAIL
    MODEL_ALTERED = "model.altered", Severity.FAIL
    MODEL_FALLBACK = "model.fallback", Severity.WARN
    MODEL_MANIFEST_REFUSED = "model.manifest_refused", Severity.WARN
    MODEL_RUNTIME_MISSING = "model.runtime_missing", Severity.WARN

    @property
    def id(self) -> str:
        """The id, such as ``camera.password_wrong``: never given to another finding."""
        return self.value[0]

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return self.value[1]


#: What fills the places of a finding's words: numbers rounded for people, and plain text.
Values = Mapping[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found of one ``subject``: a camera's id, a folder, a host; empty for the box.

    ``values`` fill the places of the finding's words.
    """

    kind: Kind
    subject: str = ""
    values: Values = field(default_factory=dict)

"""The box's configuration: one TOML file, checked whole before anything starts.

Unknown keys are refused. Secrets are never in the file or in a URL: each is read from a file of its
own or from an environment variable that the configuration names.
"""

import os
import tomllib
from collections.abc import Set as AbstractSet
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from edge.alarm.fire import Strategy
from edge.alarm.geometry import Ground
from edge.alarm.schedule import Calendar, DayKind, Schedule, periods_of
from edge.alarm.sensitivity import Sensitivity
from edge.db.place import refusal as refused_place
from edge.errors import ConfigError
from models.runtime import Runtime
from protocol.address import holds_login, is_address
from protocol.messages import (
    BOX_SUBJECT,
    AlertLevel,
    AlertMode,
    BoxId,
    GridCode,
    LocalId,
    RegionCode,
)
from protocol.refusal import refusal

Fraction = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Fraction, Fraction]
Polygon = Annotated[tuple[Point, ...], Field(min_length=3, max_length=10)]


def _url(schemes: frozenset[str], instead: str = "") -> AfterValidator:
    def check(value: str) -> str:
        if holds_login(value):
            raise ValueError(f"must not hold a user or password, nor any '@'{instead}")
        if not is_address(value, schemes):
            raise ValueError(f"must be a URL of scheme {' or '.join(sorted(schemes))}")
        return value

    return AfterValidator(check)


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("must be a time zone's name, such as Asia/Shanghai") from error
    return value


def _other_than(own: AbstractSet[str]) -> AfterValidator:
    def check(value: str) -> str:
        if value in own:
            names = ", ".join(sorted(own))
            raise ValueError(f"must be an id that the box does not use itself ({names})")
        return value

    return AfterValidator(check)


#: Rules that nobody configures: a configured one's alerts must not be taken for theirs.
OWN_RULES = frozenset({"camera-lost", "detector-down", "storage", "picture"})

CameraId = Annotated[LocalId, _other_than({BOX_SUBJECT})]
RuleId = Annotated[LocalId, _other_than(OWN_RULES)]
RtspUrl = Annotated[
    str,
    _url(frozenset({"rtsp", "rtsps"}), ": use username = … and password = { file = … }"),
]
HttpUrl = Annotated[str, _url(frozenset({"http", "https"}))]


#: Regulation 799, article 17: what cameras in public places record is kept for so long at least.
LEGAL_DAYS = 30
_Days = Annotated[int, Field(ge=LEGAL_DAYS, le=3650)]


class LegalBasis(StrEnum):
    """What a camera is there by (Regulation 799); the last two are free of article 17."""

    ARTICLE_7_1 = "art7_1"  # public places that the county's government plans
    ARTICLE_7_2 = "art7_2"  # places where crowds come together, by who runs them
    ARTICLE_9 = "art9"  # other public places, by who has a duty to keep them safe
    NON_PUBLIC = "non_public"  # article 33


_FREE_OF_ARTICLE_17 = frozenset({LegalBasis.ARTICLE_9, LegalBasis.NON_PUBLIC})


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Secret(_Section):
    """Where a secret is: exactly one of a file (its first line) or an environment variable."""

    file: Path | None = None
    env: str | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("give exactly one of 'file' and 'env'")
        return self

    def read(self) -> SecretStr:
        """Return the secret. Raises ConfigError where it is missing, empty or no text."""
        if self.file is not None:
            try:
                value = self.file.read_text(encoding="utf-8").partition("\n")[0].strip()
            except OSError as error:
                raise ConfigError(f"secret file {self.file}: {error.strerror}") from error
            except ValueError:  # which would go on with what the file holds
                raise ConfigError(f"secret file {self.file}: not text in UTF-8") from None
        else:
            assert self.env is not None
            value = os.environ.get(self.env, "")
        if not value:
            raise ConfigError(f"secret {self.file or self.env}: empty or not set")
        return SecretStr(value)


class BoxSection(_Section):
    """The box itself."""

    id: BoxId
    name: str = Field(min_length=1, max_length=60)
    region_code: RegionCode
    data_dir: Path
    time_zone: Annotated[str, AfterValidator(_zone)] = "Asia/Shanghai"
    holidays: Annotated[tuple[date, ...], Field(max_length=400)] = ()  # of all schedules

    @model_validator(mode="after")
    def _holidays_differ(self) -> Self:
        if len(set(self.holidays)) != len(self.holidays):
            raise ValueError("'holidays' must be different days")
        return self

    def calendar(self) -> Calendar:
        """Return the village's days, as its rules' schedules go by them."""
        return Calendar(ZoneInfo(self.time_zone), frozenset(self.holidays))


class CentreSection(_Section):
    """How to reach the centre. Without this section the box works alone and keeps its alerts."""

    mqtt_host: str
    mqtt_port: int = Field(default=8883, ge=1, le=65535)
    mqtt_tls: bool = True
    mqtt_version: Literal["3.1.1", "5"] = "3.1.1"
    http_url: HttpUrl
    token: Secret


class HttpSection(_Section):
    """The box's own HTTP interface: loopback is enough, the centre comes through the relay."""

    host: str = "127.0.0.1"
    port: int = Field(default=8610, ge=0, le=65535)


class RecordingSection(_Section):
    """What is kept, and how long."""

    enabled: bool = True
    segment_s: float = Field(default=10.0, ge=2, le=60)
    retention_days: _Days = LEGAL_DAYS
    alert_retention_days: _Days = 180
    quota_gb: float | None = Field(default=None, gt=0)
    min_free_fraction: float = Field(default=0.05, ge=0.01, le=0.5)
    folder: Path | None = None  # below data_dir where absent; may be on a network file system
    sync_s: float = Field(default=5.0, ge=1, le=60)  # fdatasync rhythm: what a power cut may cost


class DetectSection(_Section):
    """The detector process."""

    enabled: bool = True
    model: str = "auto"  # a name of models/manifest.toml; auto takes the best that is there
    model_dirs: tuple[Path, ...] = ()
    fps: float = Field(default=2.0, ge=0.2, le=25)  # where there are people, or an open alert
    calm_fps: float = Field(default=0.5, ge=0.2, le=25)  # elsewhere; never above fps
    min_score: float | None = Field(default=None, ge=0.05, le=0.95)  # the model's own where absent
    # openvino: on Intel's graphics; needs the optional package. Where it is missing nobody is
    # looked for, health says why, and recording goes on.
    runtime: Runtime = Runtime.ONNXRUNTIME
    picture_health: bool = True  # covered, blurred, moved, frozen, over- and underexposed cameras


class EvidenceSection(_Section):
    """What goes with an alert."""

    clip_pre_s: float = Field(default=10.0, ge=0, le=60)
    clip_post_s: float = Field(default=20.0, ge=1, le=600)
    snapshot_max_bytes: int = Field(default=150_000, ge=20_000, le=2_000_000)


class GroundPoint(_Section):
    """A point of the picture (0–1) and where it is on the ground, in metres."""

    image: Point
    metres: tuple[float, float]


#: An alert of a fire rule is of a region's id and "-flame" or "-smoke".
MAX_FIRE_REGION_ID = 26


class Region(_Section):
    """A part of the picture that a rule looks at."""

    id: LocalId = "all"
    polygon: Polygon = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def _day(texts: tuple[str, ...]) -> tuple[str, ...]:
    periods_of(texts)
    return texts


_Day = Annotated[tuple[str, ...], Field(max_length=8), AfterValidator(_day)]


class ScheduleSection(_Section):
    """When a rule is at work: a day's periods ("08:00-12:00"), in the box's time zone.

    A day that is left out has none. ``holiday`` is for the box's ``holidays``; without it a holiday
    is a day of the week like any other.
    """

    monday: _Day = ()
    tuesday: _Day = ()
    wednesday: _Day = ()
    thursday: _Day = ()
    friday: _Day = ()
    saturday: _Day = ()
    sunday: _Day = ()
    holiday: _Day | None = None

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not any(self._rows().values()):
            raise ValueError("'schedule' must have a period; without 'schedule' it is always")
        return self

    def _rows(self) -> dict[DayKind, tuple[str, ...]]:
        rows: dict[DayKind, tuple[str, ...] | None] = {
            kind: getattr(self, kind.value) for kind in DayKind
        }
        return {kind: row for kind, row in rows.items() if row is not None}

    def on(self, calendar: Calendar) -> Schedule:
        """Return the schedule on a village's days."""
        return Schedule({day: periods_of(row) for day, row in self._rows().items()}, calendar)


class GatheringSection(_Section):
    """A gathering: enough people in a region, or close together, for long enough.

    ``levels`` are thresholds that raise the level; the lowest is the rule's. ``clear_fraction`` and
    ``clear_s``: it ends when fewer than that share of the lowest threshold were there for so long.
    ``radius_m`` needs the camera's ground points; without them ``radius_heights`` (person heights)
    is the distance for "close together". ``gap_s``: a shorter break does not restart ``hold_s``.
    ``schedule``: at work always where there is none. ``sensitivity``: edge.alarm.sensitivity.
    """

    kind: Literal["gathering"] = "gathering"
    id: RuleId
    mode: Literal["region_count", "close_together"] = "region_count"
    alert_mode: AlertMode = AlertMode.LIVE
    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=4)] = (Region(),)
    exclude: Annotated[tuple[Polygon, ...], Field(max_length=8)] = ()
    levels: dict[AlertLevel, Annotated[int, Field(ge=1, le=1000)]] = {
        AlertLevel.ORDINARY: 15,
        AlertLevel.URGENT: 30,
        AlertLevel.EXTRA_URGENT: 60,
    }
    radius_m: float = Field(default=2.0, gt=0, le=50)
    radius_heights: float = Field(default=1.2, gt=0, le=20)
    hold_s: float = Field(default=60.0, ge=0, le=3600)
    gap_s: float = Field(default=1.5, ge=0, le=60)
    clear_fraction: float = Field(default=0.7, gt=0, le=1)
    clear_s: float = Field(default=120.0, ge=0, le=3600)
    repeat_s: float = Field(default=600.0, ge=0, le=86400)
    sensitivity: Sensitivity = Sensitivity.NORMAL
    schedule: ScheduleSection | None = None

    @model_validator(mode="after")
    def _levels_grow(self) -> Self:
        order = [level for level in AlertLevel if level in self.levels]
        thresholds = [self.levels[level] for level in order]
        if not thresholds or thresholds != sorted(set(thresholds)):
            raise ValueError(f"'levels' must be given and grow with the level, not {thresholds}")
        if len({region.id for region in self.regions}) != len(self.regions):
            raise ValueError("'regions' must have different ids")
        return self


class FireSection(_Section):
    """Flame and smoke in a region: what looks like them for long enough; see edge.alarm.fire.

    ``strategy``: either of them alarms, or only both together. ``exclude`` are masks for what burns
    or smokes by right: chimneys, altars. ``confirm_s`` is the vote of flame, ``hold_s`` how long
    smoke must be there, and grow or move. ``clear_s``: an alert ends when hardly any was seen for
    so long. ``flame_level`` and ``smoke_level`` are those an alert begins with.
    """

    kind: Literal["fire"] = "fire"
    id: RuleId
    strategy: Strategy = Strategy.ANY
    alert_mode: AlertMode = AlertMode.LIVE
    regions: Annotated[tuple[Region, ...], Field(min_length=1, max_length=4)] = (Region(),)
    exclude: Annotated[tuple[Polygon, ...], Field(max_length=8)] = ()
    flame_level: AlertLevel = AlertLevel.EXTRA_URGENT
    smoke_level: AlertLevel = AlertLevel.URGENT
    confirm_s: float = Field(default=5.0, ge=3, le=60)
    hold_s: float = Field(default=20.0, ge=10, le=120)
    clear_s: float = Field(default=60.0, ge=0, le=3600)
    repeat_s: float = Field(default=300.0, ge=0, le=86400)
    sensitivity: Sensitivity = Sensitivity.NORMAL
    schedule: ScheduleSection | None = None

    @model_validator(mode="after")
    def _regions_are_told_apart(self) -> Self:
        if len({region.id for region in self.regions}) != len(self.regions):
            raise ValueError("'regions' must have different ids")
        too_long = [region.id for region in self.regions if len(region.id) > MAX_FIRE_REGION_ID]
        if too_long:
            raise ValueError(
                f"'regions' must have ids of at most {MAX_FIRE_REGION_ID} characters: flame and "
                f"smoke are added to them, not {too_long[0]}"
            )
        return self


class CameraSection(_Section):
    """One camera. ``sub_url`` is what the wall shows and the detector sees; main where absent.

    ``retention_days`` is the box's where absent. Less than 30 are for cameras that the law leaves
    free, and must have a reason that can be shown.
    ``record_sub`` keeps it beside the main stream: for browsers that can't play the main's codec.
    """

    id: CameraId
    name: str = Field(min_length=1, max_length=24)
    grid_code: GridCode
    place: str = Field(default="", max_length=60)
    main_url: RtspUrl
    sub_url: RtspUrl | None = None
    record_sub: bool = False
    username: str | None = None
    password: Secret | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    enabled: bool = True
    lost_after_s: float = Field(default=30.0, ge=5, le=600)  # lost for so long is an alert
    picture_health: bool = True  # off for one that is turned by hand or by a tour
    legal_basis: LegalBasis = LegalBasis.ARTICLE_7_1
    retention_days: int | None = Field(default=None, ge=1, le=3650)
    retention_reason: str = Field(default="", max_length=200)
    quota_gb: float | None = Field(default=None, gt=0)
    ground: Annotated[tuple[GroundPoint, ...], Field(max_length=4)] = ()
    rules: tuple[GatheringSection, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.ground) not in (0, 4):
            raise ValueError(f"'ground' must have four points, not {len(self.ground)}")
        if self.ground:
            try:
                Ground([(point.image, point.metres) for point in self.ground])
            except ConfigError as error:
                raise ValueError(str(error)) from None
        self._check_retention()
        if (self.username is None) != (self.password is None):
            raise ValueError("'username' and 'password' go together")
        if self.record_sub and self.sub_url is None:
            raise ValueError("'record_sub' needs a 'sub_url'")
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("'rules' must have different ids")
        return self

    def _check_retention(self) -> None:
        if self.retention_days is None or self.retention_days >= LEGAL_DAYS:
            return
        if self.legal_basis not in _FREE_OF_ARTICLE_17:
            free = " or ".join(sorted(_FREE_OF_ARTICLE_17))
            raise ValueError(
                f"'retention_days' must be at least {LEGAL_DAYS} (Regulation 799, article 17), not "
                f"{self.retention_days}; only 'legal_basis' {free} may have fewer, not "
                f"{self.legal_basis}"
            )
        if not self.retention_reason.strip():
            raise ValueError(
                f"'retention_reason' must say why 'retention_days' is {self.retention_days}, "
                f"less than {LEGAL_DAYS}"
            )


class EdgeConfig(_Section):
    """The whole file."""

    box: BoxSection
    centre: CentreSection | None = None
    http: HttpSection = HttpSection()
    recording: RecordingSection = RecordingSection()
    detect: DetectSection = DetectSection()
    evidence: EvidenceSection = EvidenceSection()
    cameras: Annotated[tuple[CameraSection, ...], Field(max_length=64)] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [camera.id for camera in self.cameras]
        if len(set(ids)) != len(ids):
            raise ValueError(f"'cameras' must have different ids, not {sorted(ids)}")
        return self

    def recordings_folder(self) -> Path:
        """Return where the recordings are."""
        return self.recording.folder or self.box.data_dir / "recordings"

    def check_place(self) -> None:
        """Raise ConfigError where the database would be on a network file system."""
        if (problem := refused_place(self.box.data_dir / "box.db")) is not None:
            raise ConfigError(problem)

    def check_secrets(self) -> None:
        """Read every secret. Raises ConfigError that names each one that can't be read."""
        secrets = {
            f"cameras.{number}.password": camera.password
            for number, camera in enumerate(self.cameras)
        }
        if self.centre is not None:
            secrets["centre.token"] = self.centre.token
        broken = []
        for key, secret in secrets.items():
            try:
                if secret is not None:
                    secret.read()
            except ConfigError as error:
                broken.append(f"'{key}': {error}")
        if broken:
            raise ConfigError("; ".join(broken))


def load(path: Path) -> EdgeConfig:
    """Return the configuration in ``path``; relative paths in it are below the file's folder.

    Raises ConfigError that names every broken key, the rule and, but for what may be a secret, the
    value given.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        config = EdgeConfig.model_validate(document)
    except ValidationError as error:
        # Not "from error": that one holds every value as it was given.
        raise ConfigError(f"{path}: {refusal(error)}") from None
    return _anchored(config, path.resolve().parent)


def _anchored(config: EdgeConfig, folder: Path) -> EdgeConfig:
    """Return the configuration with its relative paths made absolute below ``folder``."""

    def secret(value: Secret) -> Secret:
        if value.file is None:
            return value
        return value.model_copy(update={"file": folder / value.file})

    cameras = tuple(
        camera.model_copy(update={"password": secret(camera.password)})
        if camera.password
        else camera
        for camera in config.cameras
    )
    centre = config.centre and config.centre.model_copy(
        update={"token": secret(config.centre.token)}
    )
    box = config.box.model_copy(update={"data_dir": folder / config.box.data_dir})
    detect = config.detect.model_copy(
        update={"model_dirs": tuple(folder / path for path in config.detect.model_dirs)}
    )
    return config.model_copy(
        update={
            "cameras": cameras,
            "centre": centre,
            "box": box,
            "detect": detect,
            "recording": _recording(config.recording, folder, box.data_dir),
        }
    )


def _recording(section: RecordingSection, folder: Path, data_dir: Path) -> RecordingSection:
    if section.folder is None:
        return section
    recordings = folder / section.folder
    own = data_dir / "recordings"
    if data_dir.is_relative_to(recordings) or (
        recordings.is_relative_to(data_dir) and not recordings.is_relative_to(own)
    ):
        raise ConfigError(
            f"'recording.folder': must be a folder for recordings alone, outside of {data_dir},"
            f" not {recordings}"
        )
    return section.model_copy(update={"folder": recordings})

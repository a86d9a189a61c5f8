"""The box's configuration: one TOML file, checked whole before anything starts.

Unknown keys are refused. Secrets are never in the file or in a URL: each is read from a file of its
own or from an environment variable that the configuration names.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    Field,
    SecretStr,
    ValidationError,
    model_validator,
)

from edge.alarm.geometry import Ground
from edge.alarm.schedule import Calendar
from edge.bus.limits import Limits
from edge.command_config import CommandsSection
from edge.db.place import refusal as refused_place
from edge.errors import ConfigError
from edge.fingerprint import fingerprint
from edge.rule_config import RULE_KINDS, FireSection, GatheringSection, Rule
from edge.section import Section, other_than
from models.runtime import Runtime
from protocol.address import holds_login, is_address
from protocol.messages import (
    BOX_SUBJECT,
    BoxId,
    GridCode,
    LegalBasis,
    LocalId,
    RegionCode,
)
from protocol.refusal import refusal
from protocol.relay import StreamName
from protocol.secret import KeptSecret, NoSecretError
from protocol.shapes import Point


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


CameraId = Annotated[LocalId, other_than({BOX_SUBJECT})]
#: Video by RTSP, or JPEG pictures by HTTP.
CameraUrl = Annotated[
    str,
    _url(
        frozenset({"rtsp", "rtsps", "http", "https"}),
        ": use username = … and password = { file = … }",
    ),
]
HttpUrl = Annotated[str, _url(frozenset({"http", "https"}))]


_MB = 1_000_000

#: Regulation 799, article 17: what cameras in public places record is kept for so long at least.
LEGAL_DAYS = 30
_Days = Annotated[int, Field(ge=LEGAL_DAYS, le=3650)]


_FREE_OF_ARTICLE_17 = frozenset({LegalBasis.ARTICLE_9, LegalBasis.NON_PUBLIC})


class Secret(KeptSecret):
    """Where a secret is: exactly one of a file (its first line) or an environment variable."""

    def read(self) -> SecretStr:
        """Return the secret. Raises ConfigError where it is missing, empty or no text."""
        try:
            return self.fetch()
        except NoSecretError as error:
            raise ConfigError(str(error)) from error.__cause__


class BoxSection(Section):
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


class CentreSection(Section):
    """How to reach the centre. Without this section the box works alone and keeps its alerts."""

    mqtt_host: str
    mqtt_port: int = Field(default=8883, ge=1, le=65535)
    mqtt_tls: bool = True
    mqtt_ca_file: Path | None = None  # the broker's authority; the system's without it
    mqtt_version: Literal["3.1.1", "5"] = "3.1.1"
    http_url: HttpUrl
    token: Secret
    home_assistant: bool = False  # also write what Home Assistant discovers at this broker


class OutboxSection(Section):
    """How much may wait for the centre (alert I11): days of the worst, months of the usual."""

    max_rows: int = Field(default=Limits().rows, ge=1000, le=10_000_000)
    max_mb: int = Field(default=Limits().size_bytes // _MB, ge=10, le=100_000)
    max_days: int = Field(default=Limits().age.days, ge=1, le=3650)

    def limits(self) -> Limits:
        """Return it as the outbox takes it."""
        return Limits(self.max_rows, self.max_mb * _MB, timedelta(days=self.max_days))


class HttpSection(Section):
    """The box's own HTTP interface: loopback is enough, the centre comes through the relay."""

    host: str = "127.0.0.1"
    port: int = Field(default=8610, ge=0, le=65535)


class RecordingSection(Section):
    """What is kept, and how long."""

    enabled: bool = True
    segment_s: float = Field(default=10.0, ge=2, le=60)
    retention_days: _Days = LEGAL_DAYS
    alert_retention_days: _Days = 180
    quota_gb: float | None = Field(default=None, gt=0)
    min_free_fraction: float = Field(default=0.05, ge=0.01, le=0.5)
    folder: Path | None = None  # below data_dir where absent; may be on a network file system
    sync_s: float = Field(default=5.0, ge=1, le=60)  # fdatasync rhythm: what a power cut may cost


class DetectSection(Section):
    """The detector process."""

    enabled: bool = True
    model: str = "auto"  # a name of models/manifest.toml; auto takes the best that is there
    fire_model: str = "auto"  # the same for flame and smoke
    model_dirs: tuple[Path, ...] = ()
    fps: float = Field(default=2.0, ge=0.2, le=25)  # where there are people, or an open alert
    calm_fps: float = Field(default=0.5, ge=0.2, le=25)  # elsewhere; never above fps
    min_score: float | None = Field(default=None, ge=0.05, le=0.95)  # the model's own where absent
    # openvino: on Intel's graphics; needs the optional package. Where it is missing nobody is
    # looked for, health says why, and recording goes on.
    runtime: Runtime = Runtime.ONNXRUNTIME
    picture_health: bool = True  # covered, blurred, moved, frozen, over- and underexposed cameras


class EvidenceSection(Section):
    """What goes with an alert."""

    clip_pre_s: float = Field(default=10.0, ge=0, le=60)
    clip_post_s: float = Field(default=20.0, ge=1, le=600)
    snapshot_max_bytes: int = Field(default=150_000, ge=20_000, le=2_000_000)
    clip_from: StreamName = StreamName.SUB  # where it is recorded (record_sub), else main
    clip_max_bytes: int = Field(default=2_000_000, ge=200_000, le=200_000_000)  # of one from sub


class GroundPoint(Section):
    """A point of the picture (0–1) and where it is on the ground, in metres."""

    image: Point
    metres: tuple[float, float]


class CameraSection(Section):
    """One camera. ``sub_url`` is what the wall shows and the detector sees; main where absent.

    ``retention_days`` is the box's where absent. Less than 30 are for cameras that the law leaves
    free, and must have a reason that can be shown.
    ``record_sub`` keeps it beside the main stream: for browsers that can't play the main's codec.
    """

    id: CameraId
    name: str = Field(min_length=1, max_length=24)
    grid_code: GridCode
    place: str = Field(default="", max_length=60)
    main_url: CameraUrl
    sub_url: CameraUrl | None = None
    record_sub: bool = False
    username: str | None = None
    password: Secret | None = None
    # Of JPEG pictures by HTTP: how often one is fetched, and whether the password may go out as it
    # is over http where the camera asks for no digest.
    snapshot_every_s: float = Field(default=1.0, ge=0.2, le=4)
    basic_over_http: bool = False
    # The one certificate that is taken over rtsps and https; absent: what the system trusts.
    certificate_sha256: Annotated[str, AfterValidator(fingerprint)] | None = None
    transport: Literal["tcp", "udp"] = "tcp"
    reader: Literal["auto", "own", "ffmpeg"] = "auto"  # auto: FFmpeg's where our own can't
    enabled: bool = True
    lost_after_s: float = Field(default=30.0, ge=5, le=600)  # lost for so long is an alert
    picture_health: bool = True  # off for one that is turned by hand or by a tour
    legal_basis: LegalBasis = LegalBasis.ARTICLE_7_1
    retention_days: int | None = Field(default=None, ge=1, le=3650)
    retention_reason: str = Field(default="", max_length=200)
    quota_gb: float | None = Field(default=None, gt=0)
    ground: Annotated[tuple[GroundPoint, ...], Field(max_length=4)] = ()
    rules: tuple[Rule, ...] = ()

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
        if self.reader == "own" and self.transport == "udp":
            raise ValueError("'reader' own can't take 'transport' udp")
        self._check_tls()
        if self.record_sub and self.sub_url is None:
            raise ValueError("'record_sub' needs a 'sub_url'")
        if len({rule.id for rule in self.rules}) != len(self.rules):
            raise ValueError("'rules' must have different ids")
        return self

    def url(self, stream: StreamName) -> str:
        """Return a stream's address; the main one's where there is no other."""
        return self.sub_url if stream is StreamName.SUB and self.sub_url else self.main_url

    def scheme(self, stream: StreamName) -> str:
        """Return what a stream is pulled by: rtsp, rtsps, http or https."""
        return urlsplit(self.url(stream)).scheme

    @property
    def gatherings(self) -> tuple[GatheringSection, ...]:
        """The rules that count people."""
        return tuple(rule for rule in self.rules if isinstance(rule, GatheringSection))

    @property
    def fires(self) -> tuple[FireSection, ...]:
        """The rules that look for flame and smoke."""
        return tuple(rule for rule in self.rules if isinstance(rule, FireSection))

    def _check_tls(self) -> None:
        schemes = set(map(self.scheme, StreamName))
        if self.certificate_sha256 is not None and not schemes & {"rtsps", "https"}:
            raise ValueError("'certificate_sha256' needs a URL of scheme rtsps or https")
        # FFmpeg's takes each certificate, and by UDP the video would come as it is.
        if "rtsps" in schemes and (self.reader == "ffmpeg" or self.transport == "udp"):
            raise ValueError("'rtsps' is read by our own reader alone, over TCP")

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


class EdgeConfig(Section):
    """The whole file."""

    box: BoxSection
    centre: CentreSection | None = None
    outbox: OutboxSection = OutboxSection()
    http: HttpSection = HttpSection()
    recording: RecordingSection = RecordingSection()
    detect: DetectSection = DetectSection()
    evidence: EvidenceSection = EvidenceSection()
    commands: CommandsSection = CommandsSection()
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
    return anchored(validated(read(path), str(path)), path.resolve().parent)


def read(path: Path) -> dict[str, Any]:
    """Return the document in a TOML file. Raises ConfigError."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error


def validated(document: Mapping[str, Any], name: str) -> EdgeConfig:
    """Return the configuration that a document is, its paths as they are given.

    ``name`` is whose errors are told. Raises ConfigError as :func:`load` does.
    """
    try:
        return EdgeConfig.model_validate(document)
    except ValidationError as error:
        # Not "from error": that one holds every value as it was given.
        raise ConfigError(f"{name}: {refusal(error, RULE_KINDS)}") from None


def anchored(config: EdgeConfig, folder: Path) -> EdgeConfig:
    """Return the configuration with its relative paths made absolute below ``folder``.

    Raises ConfigError where the recordings would be among what else the box keeps.
    """

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
        update={
            "token": secret(config.centre.token),
            "mqtt_ca_file": config.centre.mqtt_ca_file and folder / config.centre.mqtt_ca_file,
        }
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

"""The centre's configuration: one TOML file, checked whole before anything starts.

Unknown keys are refused. Secrets are never in the file or in a URL: each is read from a file of its
own or from an environment variable that the configuration names.
"""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    ValidationError,
    model_validator,
)
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from central.alerts.states import Deadlines
from central.codes import EvidencePlace
from central.errors import ConfigError
from central.evidence.leftover import Allowance
from central.evidence.s3_section import S3Section
from central.examples.rule import Limits
from central.section import Secret, Section
from protocol.address import holds_login, holds_password, is_address
from protocol.messages import AlertLevel, RegionCode
from protocol.refusal import refusal
from protocol.topics import CENTRE_USER, MAX_REPLICAS, replica_user

Model = TypeVar("Model", bound=BaseModel)


def _database_url(value: str) -> str:
    try:
        url = make_url(value)
    except (ArgumentError, ValueError):  # the words of both repeat a part of it
        raise ValueError("must be sqlite:///path or postgresql://user@host/name") from None
    if url.drivername not in ("sqlite", "postgresql"):
        raise ValueError("must be sqlite:///path or postgresql://user@host/name")
    # In a file's path a colon and an "@" mean nothing.
    if url.password is not None or (url.drivername != "sqlite" and holds_password(value)):
        raise ValueError("must not hold a password: use password = { file = … }")
    if not url.database:
        raise ValueError("must name a file or a database")
    return value


def _public_url(value: str) -> str:
    if holds_login(value):
        raise ValueError("must not hold a user or password, nor any '@'")
    if not is_address(value, frozenset({"http", "https"})):
        raise ValueError("must be a URL of scheme http or https")
    return value.rstrip("/")


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a zone of the tz database, such as Asia/Shanghai") from None
    return value


class DatabaseSection(Section):
    """Where everything is kept."""

    url: Annotated[str, AfterValidator(_database_url)] = "sqlite:///data/central.db"
    password: Secret | None = None

    def address(self) -> URL:
        """Return the address with its password. Raises ConfigError where the secret is missing."""
        url = make_url(self.url)
        if self.password is None:
            return url
        return url.set(password=self.password.read().get_secret_value())


class HttpSection(Section):
    """The interface. ``public_url`` is what people type; https there makes cookies Secure."""

    host: str = "127.0.0.1"
    port: int = Field(default=8600, ge=0, le=65535)
    public_url: Annotated[str, AfterValidator(_public_url)] = "http://127.0.0.1:8600"

    @property
    def is_https(self) -> bool:
        """Return whether people come by https."""
        return self.public_url.startswith("https:")


class MqttSection(Section):
    """The broker that boxes talk to.

    ``replica`` is the number of this consumer where there are several (protocol I14): what comes is
    shared among them by MQTT 5, and what was sent to one that died the boxes send again.
    """

    host: str = "127.0.0.1"
    port: int = Field(default=8883, ge=1, le=65535)
    tls: bool = True
    ca_file: Path | None = None
    version: Literal["3.1.1", "5"] = "3.1.1"
    username: str = CENTRE_USER
    password: Secret
    clean_session: bool = True
    replica: int | None = Field(default=None, ge=1, le=MAX_REPLICAS)

    @model_validator(mode="after")
    def _shares(self) -> Self:
        if self.replica is None:
            return self
        if self.version != "5":
            raise ValueError("'replica' needs version = '5': 3.1.1 has no shared subscriptions")
        if not self.clean_session:
            raise ValueError("'replica' needs clean_session = true: one that is away has no share")
        if self.username not in (CENTRE_USER, replica_user(self.replica)):
            raise ValueError(f"'replica' {self.replica} signs in as {replica_user(self.replica)}")
        return self

    @property
    def user(self) -> str:
        """Return the user name, which is the client id too."""
        return self.username if self.replica is None else replica_user(self.replica)


class EvidenceSection(Section):
    """Pictures and clips of alerts; what came in part waits for the rest, within limits.

    ``store`` says where new ones go. ``folder`` is needed for both: what comes lies there until it
    is whole.
    """

    folder: Path = Path("data/evidence")
    store: EvidencePlace = EvidencePlace.DISK
    s3: S3Section | None = None
    max_mb: int = Field(default=200, ge=1, le=10_000)
    partial_days: float = Field(default=7, gt=0, le=365)
    partial_max_mb: int = Field(default=5000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def _one_fits(self) -> Self:
        if self.partial_max_mb < self.max_mb:
            raise ValueError(f"'partial_max_mb' must be at least 'max_mb', {self.max_mb}")
        return self

    @model_validator(mode="after")
    def _s3_is_told(self) -> Self:
        if self.store is EvidencePlace.S3 and self.s3 is None:
            raise ValueError('store = "s3" needs a section [evidence.s3]')
        return self

    def below(self, folder: Path) -> "EvidenceSection":
        """Return the section with its relative paths made absolute below ``folder``."""
        s3 = self.s3 and self.s3.below(folder)
        return self.model_copy(update={"folder": folder / self.folder, "s3": s3})

    @property
    def max_bytes(self) -> int:
        """Return how long one piece may be."""
        return self.max_mb * 1_000_000

    def allowance(self) -> Allowance:
        """Return how long and how much is kept of what came in part, as the logic takes it."""
        return Allowance(self.partial_days * 86_400, self.partial_max_mb * 1_000_000)


class ExamplesSection(Section):
    """Pictures of false alarms, kept for the next training where ``keep`` says so."""

    keep: bool = False
    folder: Path = Path("data/examples")
    keep_days: int = Field(default=365, ge=1, le=3650)
    max_pictures: int = Field(default=2000, ge=1, le=100_000)
    max_mb: int = Field(default=1000, ge=1, le=100_000)

    def limits(self) -> Limits:
        """Return how long and how much is kept, as the logic takes it."""
        return Limits(self.keep_days, self.max_pictures, self.max_mb * 1_000_000)


class VillageSection(Section):
    """Whose centre this is."""

    name: str = Field(min_length=1, max_length=40)
    region_code: RegionCode
    time_zone: Annotated[str, AfterValidator(_time_zone)] = "Asia/Shanghai"

    @property
    def zone(self) -> ZoneInfo:
        """Return the village's time zone."""
        return ZoneInfo(self.time_zone)


Seconds = Annotated[float, Field(gt=0, le=30 * 86400)]
ByLevel = dict[AlertLevel, Seconds]


class DeadlinesSection(Section):
    """By level, how long people have, in seconds (domain 3.4)."""

    sign_s: ByLevel = Field(
        default={
            AlertLevel.EXTRA_URGENT: 60,
            AlertLevel.URGENT: 180,
            AlertLevel.ORDINARY: 1800,
        }
    )
    verify_s: ByLevel = Field(
        default={
            AlertLevel.EXTRA_URGENT: 180,
            AlertLevel.URGENT: 600,
            AlertLevel.ORDINARY: 28_800,
        }
    )
    handle_s: ByLevel = Field(
        default={
            AlertLevel.EXTRA_URGENT: 7200,
            AlertLevel.URGENT: 86_400,
            AlertLevel.ORDINARY: 259_200,
        }
    )

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("sign_s", "verify_s", "handle_s"):
            missing = [level.value for level in AlertLevel if level not in getattr(self, name)]
            if missing:
                raise ValueError(f"'{name}' must give every level; missing: {', '.join(missing)}")
        return self

    def deadlines(self) -> Deadlines:
        """Return the deadlines as the logic takes them."""
        return Deadlines(self.sign_s, self.verify_s, self.handle_s)


class SessionsSection(Section):
    """How long a browser stays signed in. A wall's stays; its operator goes with the shift."""

    person_hours: float = Field(default=12, gt=0, le=720)
    wall_days: float = Field(default=90, gt=0, le=3650)
    operator_hours: float = Field(default=12, gt=0, le=48)  # where no shift says when they go


class FeedSection(Section):
    """The live feed: a page that was away for longer starts anew."""

    keep_hours: float = Field(default=24, ge=1, le=720)


class WebSection(Section):
    """The built interface; the one that came with the program where it is not named."""

    folder: Path | None = None


class CentralConfig(Section):
    """The whole file."""

    village: VillageSection
    database: DatabaseSection = DatabaseSection()
    http: HttpSection = HttpSection()
    mqtt: MqttSection
    evidence: EvidenceSection = EvidenceSection()
    examples: ExamplesSection = ExamplesSection()
    deadlines: DeadlinesSection = DeadlinesSection()
    sessions: SessionsSection = SessionsSection()
    feed: FeedSection = FeedSection()
    web: WebSection = WebSection()

    @model_validator(mode="after")
    def _replicas_share_a_server(self) -> Self:
        if self.mqtt.replica is not None and make_url(self.database.url).drivername == "sqlite":
            raise ValueError("'mqtt.replica' needs PostgreSQL: SQLite is for one consumer")
        return self


def load(path: Path) -> CentralConfig:
    """Return the configuration in ``path``; relative paths in it are below the file's folder.

    Raises ConfigError that names every broken key, the rule and, but for what may be a secret, the
    value given.
    """
    config = parse(path, CentralConfig)
    return _anchored(config, path.resolve().parent)


def as_replica(config: CentralConfig, number: int) -> CentralConfig:
    """Return the configuration of the consumer ``number`` of several.

    Raises ConfigError where it lacks what several need.
    """
    document = config.model_dump()
    document["mqtt"]["replica"] = number
    try:
        return CentralConfig.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"--replica {number}: {refusal(error)}") from None


def parse(path: Path, model: type[Model]) -> Model:
    """Return the TOML file ``path`` as ``model``. Raises ConfigError as :func:`load` does."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    try:
        return model.model_validate(document)
    except ValidationError as error:
        # Not "from error": that one holds every value as it was given.
        raise ConfigError(f"{path}: {refusal(error)}") from None


def _anchored(config: CentralConfig, folder: Path) -> CentralConfig:
    """Return the configuration with its relative paths made absolute below ``folder``."""
    url = make_url(config.database.url)
    if url.drivername == "sqlite":
        assert url.database is not None
        url = url.set(database=str(folder / url.database))
    password = config.database.password
    database = DatabaseSection(
        url=url.render_as_string(), password=password and password.below(folder)
    )
    mqtt = config.mqtt.model_copy(
        update={
            "password": config.mqtt.password.below(folder),
            "ca_file": config.mqtt.ca_file and folder / config.mqtt.ca_file,
        }
    )
    evidence = config.evidence.below(folder)
    examples = config.examples.model_copy(update={"folder": folder / config.examples.folder})
    web = config.web.folder and WebSection(folder=folder / config.web.folder)
    return config.model_copy(
        update={
            "database": database,
            "mqtt": mqtt,
            "evidence": evidence,
            "examples": examples,
            "web": web or WebSection(),
        }
    )

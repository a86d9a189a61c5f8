"""The versions of the settings on the disk, their secrets, and which of them has proved itself."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError

from edge.config import EdgeConfig
from edge.errors import ConfigError, StorageError
from edge.section import Section
from edge.settings.layer import Layer
from edge.settings.trial import Terms
from edge.settings.version import MOST_ACTOR, MOST_BYTES, MOST_REASON, Version, decoded, encoded
from protocol.clock import Clock

#: Versions that are kept beside the newest ones that count.
KEPT = 20
FOLDER = "settings"
_SECRETS, _LOCK, _STANDING = "secrets", "lock", "standing.json"
_SUFFIX = ".json"
_DIGITS = 8


class Standing(Section):
    """Which version has proved itself, and which one the box began to run and has not yet.

    ``starts`` is how often the box began to run with ``tried``.
    """

    accepted: int = Field(default=0, ge=0)
    tried: int | None = None
    starts: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True)
class Shelf:
    """What was read: the sound versions, newest first and 0 at the end, and what is damaged.

    ``highest`` is the greatest number there is, damaged or not.
    """

    versions: tuple[Version, ...]
    damaged: Mapping[int, str]
    highest: int

    @property
    def newest(self) -> Version:
        """The newest sound version."""
        return self.versions[0]

    def find(self, number: int) -> Version | None:
        """Return a version; None where it is damaged or not kept any more."""
        return next((each for each in self.versions if each.number == number), None)


class SettingsStore:
    """A folder of numbered versions; nothing is in it until the first is written.

    Each file is written beside its place, synced, and moved there; then the folder is synced: a
    power cut leaves the version before or this one (settings S3). A number is never given twice.
    Processes and threads that change anything take turns (:meth:`changing`); reading waits for
    nobody. All methods raise StorageError where the disk refuses.
    """

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        self._folder = data_dir.absolute() / FOLDER
        self._clock = clock

    @classmethod
    def of(cls, config: EdgeConfig, clock: Clock) -> "SettingsStore":
        """Return the store of a box whose configuration file says this."""
        return cls(config.box.data_dir, clock)

    @property
    def folder(self) -> Path:
        """The settings' folder, absolute; passwords' files are named below it."""
        return self._folder

    # -- reading -----------------------------------------------------------------------------------

    def highest(self) -> int:
        """Return the number that was given last: a listing of the folder, no more."""
        return max(self._numbers(), default=0)

    def read(self) -> Shelf:
        """Return all versions that are kept."""
        versions, damaged = [], {}
        numbers = sorted(self._numbers(), reverse=True)
        for number in numbers:
            try:
                versions.append(self._version(number))
            except ConfigError as error:
                damaged[number] = str(error)
        return Shelf((*versions, Version()), damaged, max(numbers, default=0))

    def _numbers(self) -> list[int]:
        with _refusing(self._folder):
            try:
                names = [path.name for path in self._folder.iterdir()]
            except FileNotFoundError:
                return []
        stems = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
        return [int(stem) for stem in stems if stem.isdecimal() and len(stem) == _DIGITS]

    def _version(self, number: int) -> Version:
        path = self._path(number)
        try:
            with path.open("rb") as file:
                version = decoded(file.read(MOST_BYTES))
        except OSError as error:
            raise ConfigError(f"can't be read: {error.strerror}") from error
        if version.number != number:
            raise ConfigError(f"is damaged: it says that it is number {version.number}")
        return version

    def _path(self, number: int) -> Path:
        return self._folder / f"{number:0{_DIGITS}}{_SUFFIX}"

    def standing(self) -> Standing:
        """Return what has proved itself; where that is not known, the newest that is sound."""
        path = self._folder / _STANDING
        with _refusing(path):
            try:
                return Standing.model_validate_json(path.read_bytes())
            except FileNotFoundError:
                return Standing()
            except ValidationError:
                return Standing(accepted=self.read().newest.number)

    # -- writing -----------------------------------------------------------------------------------

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Let nobody else change anything meanwhile; waits for who is at it. Not to be nested."""
        with _refusing(self._folder):
            self._folder.parent.mkdir(parents=True, exist_ok=True)
            _make_folder(self._folder)
            descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _give(descriptor, self._folder)
            with _refusing(self._folder):
                fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def write(
        self,
        layer: Layer,
        *,
        actor: str,
        reason: str,
        undoes: int | None = None,
        terms: Terms | None = None,
    ) -> Version:
        """Keep a layer as the newest version and return it; within :meth:`changing`."""
        shelf = self.read()
        version = Version(
            number=max(shelf.highest, self.standing().accepted) + 1,
            at=self._clock.now(),
            actor=actor[:MOST_ACTOR],
            reason=reason[:MOST_REASON],
            undoes=undoes,
            terms=terms,
            layer=layer,
        )
        path = self._path(version.number)
        try:
            self._put(path, encoded(version))
        except StorageError:
            with suppress(OSError):
                path.unlink(missing_ok=True)
            raise
        self._tidy(version, shelf)
        return version

    def keep_secret(self, camera_id: str, secret: SecretStr) -> Path:
        """Keep a camera's password in a new file, and return its path below the folder.

        Within :meth:`changing`, before the version that names it; one that no version names goes
        with the next version.
        """
        name = Path(_SECRETS) / f"{camera_id}-{self.highest() + 1}"
        with _refusing(self._folder):
            _make_folder(self._folder / _SECRETS)
        self._put(self._folder / name, secret.get_secret_value().encode() + b"\n")
        return name

    def stand(self, standing: Standing) -> None:
        """Note what has proved itself; within :meth:`changing`."""
        data = json.dumps(standing.model_dump()).encode() + b"\n"
        self._put(self._folder / _STANDING, data)

    def _put(self, path: Path, data: bytes) -> None:
        beside = path.with_name(f".{path.name}.new")
        with _refusing(path):
            beside.unlink(missing_ok=True)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(beside, flags, 0o600), "wb") as file:
                _give(file.fileno(), path.parent)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
            _sync_folder(path.parent)

    def _tidy(self, newest: Version, before: Shelf) -> None:
        """Remove the versions and passwords that nobody will go back to; what stays is no harm."""
        accepted = self.standing().accepted
        numbers = sorted({newest.number, *self._numbers()}, reverse=True)
        kept = {*numbers[:KEPT], accepted}
        with suppress(OSError):
            for number in numbers:
                if number not in kept:
                    self._path(number).unlink(missing_ok=True)
        if any(number in kept for number in before.damaged):
            return  # what it names is not known
        named = {
            camera["password"]["file"]
            for version in (newest, *before.versions)
            if version.number in kept
            for camera in version.layer.cameras
            if "file" in camera.get("password", {})
        }
        with suppress(OSError):
            for path in (self._folder / _SECRETS).iterdir():
                if str(path.relative_to(self._folder)) not in named:
                    path.unlink(missing_ok=True)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}") from error


def _make_folder(folder: Path) -> None:
    """Make a folder for the box's user alone, where there is none; its parent is there."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, exist_ok=True)  # another may be making it too
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _give(descriptor, folder.parent)
    finally:
        os.close(descriptor)
    _sync_folder(folder.parent)


def _give(descriptor: int, folder: Path) -> None:
    """Let what root makes at the command line be the box's: of whom the folder is."""
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

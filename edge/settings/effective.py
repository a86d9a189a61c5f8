"""The configuration that counts: the operator's file, and what was changed since laid over it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from edge.config import EdgeConfig, anchored, read, validated
from edge.errors import ConfigError, StorageError
from edge.settings.layer import Layer, laid_over
from edge.settings.store import SettingsStore, Shelf
from edge.settings.version import Version
from protocol.clock import Clock


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """The file as it was read, and what it says all by itself.

    ``trouble`` says why that was before and it can't be read now, if so.
    """

    path: Path
    document: Mapping[str, Any]
    config: EdgeConfig
    trouble: str | None = None

    @classmethod
    def read(cls, path: Path) -> "ConfigFile":
        """Read and check a file. Raises ConfigError."""
        document = read(path)
        config = anchored(validated(document, str(path)), path.resolve().parent)
        return cls(path, document, config)

    def again(self) -> "ConfigFile":
        """Return the file as it is now, or this one where that can't be."""
        try:
            return ConfigFile.read(self.path)
        except ConfigError as error:
            return replace(self, trouble=f"{error}; what it said before counts")

    def under(self, layer: Layer, folder: Path) -> EdgeConfig:
        """Return what it says with a layer over it; ``folder`` is the settings'.

        Raises ConfigError.
        """
        config = validated(laid_over(self.document, layer, folder), str(self.path))
        return anchored(config, self.path.resolve().parent)


@dataclass(frozen=True, slots=True)
class Effective:
    """What the box goes by: ``config`` is the file under the layer of ``version``.

    ``seen`` is the newest number there was; ``trouble`` says why an older version is used, if so.
    """

    config: EdgeConfig
    version: Version
    seen: int
    trouble: str | None = None


def effective(file: ConfigFile, store: SettingsStore) -> Effective:
    """Return what counts: the newest version that is sound and fits the file, else the file alone.

    Never raises: what was changed must not keep a box from recording (settings S2).
    """
    try:
        shelf = store.read()
    except StorageError as error:
        return Effective(file.config, Version(), 0, f"{error}; the configuration file alone counts")
    return chosen(file, store.folder, shelf)


def chosen(file: ConfigFile, folder: Path, shelf: Shelf) -> Effective:
    """Return what counts of what was read; see :func:`effective`."""
    wrong = dict(shelf.damaged)
    for version in shelf.versions:
        try:
            config = file.under(version.layer, folder) if version.number else file.config
        except ConfigError as error:
            wrong[version.number] = f"does not fit: {error}"
            continue
        return Effective(config, version, shelf.highest, _told(wrong, version))
    raise AssertionError("version 0 fits")


def _told(wrong: Mapping[int, str], used: Version) -> str | None:
    """Return in words what newer than the version that is used can't be."""
    newer = sorted(number for number in wrong if number > used.number)
    if not newer:
        return None
    said = "; ".join(f"version {number} {wrong[number]}" for number in newer)
    instead = f"version {used.number}" if used.number else "the configuration file alone"
    return f"{said}; {instead} counts"


def counts(path: Path, clock: Clock) -> Effective:
    """Return what counts for the box of a configuration file. Raises ConfigError for the file."""
    file = ConfigFile.read(path)
    return effective(file, SettingsStore.of(file.config, clock))

"""Settings that the centre pushes: checked against what counts, kept as a version on trial."""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from edge.commands.configuring import Pushed, Refusal
from edge.config import EdgeConfig, validated
from edge.errors import ConfigError
from edge.section import Section
from edge.settings.difference import differences
from edge.settings.effective import ConfigFile, Effective, effective
from edge.settings.layer import Layer, laid_over
from edge.settings.store import SettingsStore, Shelf
from edge.settings.trial import Ending, Terms
from edge.settings.tuning import tuned
from edge.settings.version import Version
from protocol.commands import Configure, document_of


@dataclass(frozen=True, slots=True)
class _Plan:
    """A layer that is to count, and what that changes."""

    layer: Layer
    changes: tuple[str, ...]


class SettingsPush:
    """The Tuner over the store (edge.commands.configuring).

    ``live`` says which streams come now ("camera/stream"): these are to come again. Any thread may
    call any method.
    """

    def __init__(
        self, file: ConfigFile, store: SettingsStore, live: Callable[[], AbstractSet[str]]
    ) -> None:
        self._file = file
        self._store = store
        self._live = live

    def check(self, asked: Configure) -> Refusal | tuple[str, ...]:
        """Return what a change would change, or why it can't be; see the port."""
        now = effective(self._file, self._store)
        if asked.base_version != now.version.number:
            words = f"the settings here are version {now.version.number}, not {asked.base_version}"
            return Refusal("version", words)
        if not asked.check_only and self._is_on_trial(now.version):
            words = f"version {now.version.number} has still to prove itself"
            return Refusal("another_on_trial", words)
        try:
            return self._planned(now, asked).changes
        except ConfigError as error:
            return Refusal("settings", str(error))

    def begin(self, command_id: UUID, asked: Configure, *, actor: str, reason: str) -> None:
        """Keep a change as a version on trial; see the port."""
        terms = Terms(
            command_id=command_id,
            within_s=asked.confirm_within_s,
            streams=tuple(sorted(self._live())),
        )
        with self._store.changing():
            now = effective(self._file, self._store)
            if asked.base_version != now.version.number or self._is_on_trial(now.version):
                raise ConfigError(f"meanwhile the settings are version {now.version.number}")
            layer = self._planned(now, asked).layer
            self._store.write(layer, actor=actor, reason=reason, terms=terms)

    def pushed(self, command_id: UUID) -> Pushed | None:
        """Return the version that a command made, and how its trial ended; see the port."""
        shelf = self._store.read()
        for version in shelf.versions:
            if version.terms is not None and version.terms.command_id == command_id:
                return self._pushed(version, shelf)
        return None

    def _pushed(self, version: Version, shelf: Shelf) -> Pushed:
        undoing = next((each for each in shelf.versions if each.undoes == version.number), None)
        if undoing is not None:
            return Pushed(version.number, Ending.TAKEN_BACK, undoing.reason, ())
        ending = None if self._is_on_trial(version) else Ending.KEPT
        return Pushed(version.number, ending, "", self._changes_of(version, shelf))

    def _changes_of(self, version: Version, shelf: Shelf) -> tuple[str, ...]:
        """Return what a version changed; nothing where that is not known any more."""
        before = next(each for each in shelf.versions if each.number < version.number)
        try:
            return differences(self._under(before.layer), self._under(version.layer))
        except ConfigError:
            return ()

    def _is_on_trial(self, version: Version) -> bool:
        return version.number > self._store.standing().accepted

    def _planned(self, now: Effective, asked: Configure) -> _Plan:
        """Return what is asked for, checked whole. Raises ConfigError that names what is wrong."""
        if asked.patch is None:
            layer = _before(now.version, self._store.read())
        else:
            layer = self._patched(now, document_of(asked.patch))
        config = self._under(layer)
        config.check_secrets()
        return _Plan(layer, differences(now.config, config))

    def _patched(self, now: Effective, patch: Mapping[str, Any]) -> Layer:
        """Return the layer with what of a patch is another than it is, and nothing more.

        So a whole tuning that was taken from here and changed in one place is that one change, and
        what is as the file has it stays the operator's.
        """
        here = laid_over(self._file.document, now.version.layer, self._store.folder)
        there = tuned(here, patch)
        before, after = validated(here, "settings"), validated(there, "settings")
        changed = {
            name: _others(section, getattr(before, name), getattr(after, name))
            for name, section in patch.items()
            if name != "cameras"
        }
        layer = now.version.layer.with_sections(changed)
        for camera, old, new in zip(there["cameras"], before.cameras, after.cameras, strict=True):
            if old != new:
                layer = layer.with_camera(self._placed(camera))
        return layer

    def _placed(self, camera: Mapping[str, Any]) -> dict[str, Any]:
        """Return a camera of an effective document as a layer has it: only where its password is.

        There it is below the settings' folder, or absolute.
        """
        password = camera.get("password")
        if not isinstance(password, Mapping) or "file" not in password:
            return dict(camera)
        path = self._file.path.resolve().parent / Path(password["file"])
        if path.is_relative_to(self._store.folder):
            path = path.relative_to(self._store.folder)
        return {**camera, "password": {"file": str(path)}}

    def _under(self, layer: Layer) -> EdgeConfig:
        return self._file.under(layer, self._store.folder)


def _others(section: Mapping[str, Any], before: Section, after: Section) -> dict[str, Any]:
    """Return the keys of a section's patch that make another value of it."""
    return {
        key: value for key, value in section.items() if getattr(before, key) != getattr(after, key)
    }


def _before(version: Version, shelf: Shelf) -> Layer:
    """Return what counted before a version: the newest other settings that were not taken back.

    Raises ConfigError where there are none.
    """
    undone = {each.undoes for each in shelf.versions}
    for each in shelf.versions:
        is_older = each.number < version.number and each.number not in undone
        if is_older and each.layer != version.layer:
            return each.layer
    raise ConfigError("nothing was changed that could be undone")

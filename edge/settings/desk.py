"""Where the configuration is changed while the box runs: checked whole, then kept, then taken."""

import logging
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from pydantic import SecretStr, ValidationError

from edge.config import CameraSection, EdgeConfig
from edge.errors import ConfigError, NotFoundError
from edge.health import Component, Condition, Figure
from edge.rule_config import RULE_KINDS
from edge.settings.effective import ConfigFile, Effective, effective
from edge.settings.layer import Layer, laid_over
from edge.settings.push import SettingsPush
from edge.settings.store import SettingsStore
from edge.settings.tuning import tuning_of
from edge.settings.version import Version
from protocol.refusal import refusal

log = logging.getLogger(__name__)

#: How :func:`refusal` names what is wrong with no key in particular.
_THE_WHOLE = "'(the file)': "


class SettingsDesk:
    """The CameraBook over the store; one change at a time, also from other processes.

    What is changed is read from the disk each time, so that nobody changes what somebody else has
    changed meanwhile without seeing it. ``took`` tells it what the box runs with.
    """

    def __init__(self, file: ConfigFile, store: SettingsStore, runs: Effective) -> None:
        self._file = file
        self._store = store
        self._runs = runs

    # -- how it is ---------------------------------------------------------------------------------

    def cameras(self) -> tuple[CameraSection, ...]:
        """Return the cameras as they are now; see the port."""
        return self.now().config.cameras

    def now(self) -> Effective:
        """Return what counts by what is on the disk, which the box may not have taken yet."""
        return effective(self._file, self._store)

    def version(self) -> int:
        """Return the newest number; see the port."""
        return self._store.highest()

    def running(self) -> int:
        """Return the number of what the box runs with."""
        return self._runs.version.number

    def changed_cameras(self) -> frozenset[str]:
        """Return the cameras that are not as the configuration file has them, or not in it."""
        return frozenset(camera["id"] for camera in self.now().version.layer.cameras)

    def tuning(self) -> tuple[Effective, dict[str, Any]]:
        """Return what counts, and of it what may be changed from afar (edge.settings.tuning)."""
        now = self.now()
        here = laid_over(self._file.document, now.version.layer, self._store.folder)
        return now, tuning_of(now.config, here)

    def is_on_trial(self, version: Version) -> bool:
        """Return whether a version has still to prove itself. Raises StorageError."""
        return version.number > self._store.standing().accepted

    def before_trial(self) -> EdgeConfig | None:
        """Return what had proved itself, while what the box runs with is on trial by its terms.

        Raises StorageError.
        """
        if not self._is_pushed(self._runs.version):
            return None
        before = self._store.read().find(self._store.standing().accepted)
        return None if before is None else self._file.under(before.layer, self._store.folder)

    def tuner(self, live: Callable[[], AbstractSet[str]]) -> SettingsPush:
        """Return who changes the settings from afar; ``live`` are the names of live streams."""
        return SettingsPush(self._file, self._store, live)

    def took(self, runs: Effective) -> None:
        """Take what the box runs with from now on."""
        self._runs = runs

    def component(self) -> Component:
        """Return how the settings are, for the health board."""
        runs = self._runs
        figures: dict[str, Figure] = {
            "version": self._store.highest(),
            "running": runs.version.number,
        }
        troubles = [each for each in (self._file.trouble, runs.trouble) if each is not None]
        if troubles:
            return Component(Condition.DEGRADED, "; ".join(troubles), figures)
        note = runs.version.reason if runs.version.undoes is not None else None
        if self._is_pushed(runs.version):
            note = f"version {runs.version.number} is on trial: {runs.version.reason}"
        return Component(Condition.OK, note, figures)

    # -- changing it -------------------------------------------------------------------------------

    def save(
        self,
        camera: Mapping[str, Any],
        password: SecretStr | None,
        *,
        actor: str,
        reason: str,
    ) -> CameraSection:
        """Add or replace a camera; see the port."""
        if "password" in camera:
            raise ConfigError("'password': must not be among a camera's keys here")
        if password is not None:
            _check_line(password)
        with self._store.changing():
            now = self.now()
            document = dict(camera)
            if password is not None:
                document["password"] = {"file": "new"}
            elif "username" in document and (kept := self._kept(now, document.get("id"))):
                document["password"] = kept
            section = _checked(document)
            config = self._file.under(now.version.layer.with_camera(document), self._store.folder)
            if password is not None:
                name = self._store.keep_secret(section.id, password)
                document["password"] = {"file": str(name)}
            elif (secret := _camera(config, section.id).password) is not None:
                secret.read()
            layer = now.version.layer.with_camera(document)
            self._put(now, layer, actor=actor, reason=reason)
        return _camera(self._file.under(layer, self._store.folder), section.id)

    def remove(self, camera_id: str, *, actor: str, reason: str) -> None:
        """Take a camera out; see the port."""
        with self._store.changing():
            now = self.now()
            if camera_id not in {camera.id for camera in now.config.cameras}:
                raise NotFoundError(f"camera {camera_id}")
            in_file = any(camera.id == camera_id for camera in self._file.config.cameras)
            layer = now.version.layer.without_camera(camera_id, is_in_file=in_file)
            self._put(now, layer, actor=actor, reason=reason)

    def change(self, change: Callable[[Layer], Layer], *, actor: str, reason: str) -> Version:
        """Keep what ``change`` makes of the layer that counts, and return its version.

        Where it is the same there is no new version. It takes back what is on trial by its terms.
        Raises what ``change`` does, ConfigError and StorageError; then nothing changed.
        """
        with self._store.changing():
            now = self.now()
            layer = change(now.version.layer)
            undoes = now.version.number if self._is_pushed(now.version) else None
            return self._keep(now, layer, actor=actor, reason=reason, undoes=undoes)

    def _put(self, now: Effective, layer: Layer, *, actor: str, reason: str) -> Version:
        if self._is_pushed(now.version):
            number = now.version.number
            raise ConfigError(f"version {number} of the settings is on trial: wait for its end")
        return self._keep(now, layer, actor=actor, reason=reason)

    def _is_pushed(self, version: Version) -> bool:
        """Return whether a version is on trial by the terms that the centre gave it."""
        return version.terms is not None and self.is_on_trial(version)

    def _keep(
        self, now: Effective, layer: Layer, *, actor: str, reason: str, undoes: int | None = None
    ) -> Version:
        self._file.under(layer, self._store.folder)
        if layer == now.version.layer and now.version.number == now.seen:
            return now.version
        version = self._store.write(layer, actor=actor, reason=reason, undoes=undoes)
        extra = {"version": version.number, "actor": actor, "reason": reason}
        log.info("settings.changed", extra=extra)
        return version

    def _kept(self, now: Effective, camera_id: object) -> dict[str, str] | None:
        """Return where the password is that a camera has, as a layer names it."""
        for camera in now.config.cameras:
            if camera.id == camera_id and camera.password is not None:
                file, env = camera.password.file, camera.password.env
                if file is None:
                    return {"env": str(env)}
                is_ours = file.is_relative_to(self._store.folder)
                return {"file": str(file.relative_to(self._store.folder) if is_ours else file)}
        return None


def _checked(document: Mapping[str, Any]) -> CameraSection:
    """Return a camera as it is all by itself. Raises ConfigError that names its own keys."""
    try:
        return CameraSection.model_validate(document)
    except ValidationError as error:
        raise ConfigError(refusal(error, RULE_KINDS).replace(_THE_WHOLE, "")) from None


def _check_line(password: SecretStr) -> None:
    """Refuse what would be read otherwise than it was given (edge.config.Secret)."""
    value = password.get_secret_value()
    if not value or value != value.strip() or not value.isprintable():
        raise ConfigError("'password': must be one line of text, with no space around it")


def _camera(config: EdgeConfig, camera_id: str) -> CameraSection:
    return next(camera for camera in config.cameras if camera.id == camera_id)

"""``python -m edge config show`` and ``drop-layer``: what was changed while the box ran, undone."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.layer import Layer, laid_over
from edge.settings.store import SettingsStore, Standing
from edge.settings.version import Version
from edge.toml_text import toml_text
from protocol.clock import Clock


class SettingsCommand:
    """Does what the command line says and tells ``say``; returns the exit status.

    Raises ConfigError where the file itself is not valid, and StorageError.
    """

    def __init__(self, path: Path, clock: Clock, say: Callable[[str], None]) -> None:
        self._file = ConfigFile.read(path)
        self._store = SettingsStore.of(self._file.config, clock)
        self._now = effective(self._file, self._store)
        self._zone = ZoneInfo(self._now.config.box.time_zone)
        self._say = say

    def show(self) -> int:
        """Tell the configuration that counts, as TOML; passwords are in files and stay there."""
        version = self._now.version
        self._say(f"# {self._file.path}")
        if version.number:
            self._say(f"# + {self._told(version)}")
        self._trouble()
        document = laid_over(self._file.document, version.layer, self._store.folder)
        self._say(toml_text(document).rstrip("\n"))
        return 0

    def layer(self) -> int:
        """Tell what was changed since, as TOML, and nothing of the file."""
        version = self._now.version
        if version.number:
            self._say(f"# {self._told(version)}")
        self._trouble()
        for camera_id in version.layer.removed:
            self._say(f"# {camera_id}: 已停用 · removed")
        sections = {name: keys for name, keys in version.layer.sections.items() if keys}
        document: Mapping[str, Any] = {**sections, "cameras": [*version.layer.cameras]}
        if not version.layer.cameras:
            document = sections
        if document:
            self._say(toml_text(document).strip("\n"))
        elif not version.layer.removed:
            self._say("# 没有改动 · nothing was changed")
        return 0

    def history(self) -> int:
        """Tell the versions that are kept, newest first: who made them, when and why."""
        shelf, standing = self._store.read(), self._store.standing()
        for number in sorted(shelf.damaged, reverse=True):
            self._say(f"{number}  已损坏 · {shelf.damaged[number]}")
        for version in shelf.versions[:-1]:
            self._say(f"{self._told(version)}{self._mark(version, standing)}")
        if shelf.highest == 0:
            self._say("没有改动 · nothing was changed")
        return 0

    def drop(self, actor: str, confirm: Callable[[str], bool]) -> int:
        """Let the file alone count, once a person has agreed; what was changed stays to be read."""
        self.layer()
        if self._now.version.layer.is_empty and self._now.version.number == self._now.seen:
            return 0
        if not confirm("以上改动全部取消,只按配置文件运行 · undo all of this? "):
            self._say("没有取消 · nothing was undone")
            return 1
        desk = SettingsDesk(self._file, self._store, self._now)
        made = desk.change(lambda _: Layer(), actor=actor, reason="config drop-layer")
        self._say(f"版本 {made.number}:只按配置文件运行 · the file alone counts")
        return 0

    def _trouble(self) -> None:
        if self._now.trouble is not None:
            self._say(f"# ! {self._now.trouble}")

    def _told(self, version: Version) -> str:
        assert version.at is not None
        at = version.at.astimezone(self._zone).isoformat(" ", "seconds")
        return f"{version.number}  {at}  {version.actor}: {version.reason}"

    def _mark(self, version: Version, standing: Standing) -> str:
        if version.number == standing.accepted:
            return "  (已生效 · holds)"
        if version.number == standing.tried:
            return "  (试运行 · tried)"
        return ""

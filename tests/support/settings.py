"""A box's configuration file and the settings over it, without a box."""

from pathlib import Path
from typing import Any

from edge.settings.desk import SettingsDesk
from edge.settings.effective import ConfigFile, effective
from edge.settings.probation import Probation
from edge.settings.store import SettingsStore
from protocol.clock import Clock, SystemClock

TEXT = """
[box]
id = "box-01"
name = "青石村"
region_code = "533102105203"
data_dir = "data"
[[cameras]]
id = "gate"
name = "村口"
grid_code = "533102105203001"
main_url = "rtsp://192.0.2.10/main"
username = "viewer"
password = { file = "gate.password" }
"""


def camera(camera_id: str, name: str = "老街", **more: Any) -> dict[str, Any]:
    """Return a camera as the file would have it."""
    return {
        "id": camera_id,
        "name": name,
        "grid_code": "533102105203001",
        "main_url": f"rtsp://192.0.2.11/{camera_id}",
        **more,
    }


class Paper:
    """A file with one camera, ``gate``, and what can be changed over it."""

    def __init__(self, folder: Path, text: str = TEXT, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.path = folder / "edge.toml"
        self.path.write_text(text, encoding="utf-8")
        (folder / "gate.password").write_text("gate-secret\n", encoding="utf-8")
        (folder / "data").mkdir(exist_ok=True)
        self.open()

    def open(self) -> None:
        """Begin as a new process does."""
        self.file = ConfigFile.read(self.path)
        self.store = SettingsStore.of(self.file.config, self.clock)
        self.probation = Probation(self.file, self.store)
        self.desk = SettingsDesk(self.file, self.store, effective(self.file, self.store))

    def names(self) -> dict[str, str]:
        """Return the name of each camera as it is now."""
        return {camera.id: camera.name for camera in self.desk.cameras()}

    def passwords(self) -> dict[str, str]:
        """Return every password, which can be read."""
        return {
            camera.id: camera.password.read().get_secret_value()
            for camera in self.desk.cameras()
            if camera.password is not None
        }

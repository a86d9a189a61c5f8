"""A CameraBook in memory: what enrolment saves through, without a box behind it."""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from edge.config import CameraSection, validated
from edge.errors import NotFoundError

BOX = """
[box]
id = "xiacun-1"
name = "下村"
region_code = "533102105203"
data_dir = "data"
"""


class MemoryBook:
    """Validates as the box does and keeps passwords in files below ``folder``."""

    def __init__(self, folder: Path, *cameras: dict[str, Any]) -> None:
        self._folder = folder
        self._cameras = {camera["id"]: camera for camera in cameras}
        self._version = 0
        self.acts: list[tuple[str, str, str]] = []

    @property
    def changed(self) -> frozenset[str]:
        return frozenset(self._cameras)

    def cameras(self) -> tuple[CameraSection, ...]:
        return self._validated(self._cameras)

    def save(self, camera, password: SecretStr | None, *, actor: str, reason: str) -> CameraSection:
        made = dict(camera)
        old = self._cameras.get(made["id"], {})
        if password is not None:
            path = self._folder / f"{made['id']}-{self._version + 1}"
            path.write_text(f"{password.get_secret_value()}\n", encoding="utf-8")
            made["password"] = {"file": str(path)}
        elif "password" in old and "username" in made:
            made["password"] = old["password"]
        cameras = {**self._cameras, made["id"]: made}
        found = self._validated(cameras)
        self._cameras = cameras
        self._version += 1
        self.acts.append((made["id"], actor, reason))
        return next(each for each in found if each.id == made["id"])

    def remove(self, camera_id: str, *, actor: str, reason: str) -> None:
        if camera_id not in self._cameras:
            raise NotFoundError(f"camera {camera_id}")
        self._cameras = {name: each for name, each in self._cameras.items() if name != camera_id}
        self._version += 1
        self.acts.append((camera_id, actor, reason))

    def version(self) -> int:
        return self._version

    def running(self) -> int:
        return self._version

    @staticmethod
    def _validated(cameras: dict[str, dict[str, Any]]) -> tuple[CameraSection, ...]:
        document = {**tomllib.loads(BOX), "cameras": list(cameras.values())}
        return validated(document, "settings").cameras

"""Looks at the wall as the wall's own page does, to say when it is live."""

import http.client
import json
import threading
from dataclasses import dataclass
from typing import Any

_TIMEOUT_S = 3.0
_LOOK_S = 0.3


@dataclass(frozen=True, slots=True)
class WallSight:
    """What is to be seen: whether the page answers, how many cameras are live, who is on duty.

    ``duty`` is person id and name, in order of rank.
    """

    answers: bool = False
    live: int = 0
    cameras: int = 0
    duty: tuple[tuple[str, str], ...] = ()


class WallWatch:
    """Signs in as the wall and looks until told to stop, in a thread of its own."""

    def __init__(self, host: str, port: int, origin: str, password: str) -> None:
        self._place = (host, port)
        self._origin = origin
        self._password = password
        self._cookie = ""
        self._sight = WallSight()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._look_on, name="wall-watch", daemon=True)

    @property
    def sight(self) -> WallSight:
        """Return what was last seen."""
        return self._sight

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def close(self) -> None:
        """Stop looking; idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _look_on(self) -> None:
        while not self._stopping.is_set():
            self._sight = self._look()
            self._stopping.wait(_LOOK_S)

    def _look(self) -> WallSight:
        try:
            if not self._cookie:
                body = json.dumps({"username": "wall", "password": self._password})
                self._ask("POST", "/api/v1/session", body)
            wall = self._ask("GET", "/api/v1/wall", None)
        except (OSError, ValueError, KeyError, http.client.HTTPException):
            return WallSight()
        states = [camera.get("state") for camera in wall.get("cameras", [])]
        people = [entry["person"] for entry in wall.get("duty", {}).get("people", [])]
        duty = tuple((person["id"], person["name"]) for person in people)
        return WallSight(answers=True, live=states.count("live"), cameras=len(states), duty=duty)

    def _ask(self, method: str, path: str, body: str | None) -> dict[str, Any]:
        connection = http.client.HTTPConnection(*self._place, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/json", "Origin": self._origin}
        if self._cookie:
            headers["Cookie"] = self._cookie
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status >= http.client.BAD_REQUEST:
            self._cookie = ""
            raise http.client.HTTPException(f"{path}: {answer.status}")
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self._cookie = cookie.partition(";")[0]
        value = json.loads(text)
        if not isinstance(value, dict):
            raise http.client.HTTPException(f"{path}: no object")
        return value

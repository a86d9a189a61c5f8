"""A box for Home Assistant: what it discovers, and how it stands. Off unless it is asked for.

Each camera is a binary sensor that is on while an alert of it is open, and the box is one that is
on while something is wrong with it. Format: MQTT discovery,
https://www.home-assistant.io/integrations/mqtt/#mqtt-discovery and …/binary_sensor.mqtt/
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from edge.bus.link import Outgoing
from edge.config import EdgeConfig
from edge.ports import OpenAlert
from protocol.messages import BOX_SUBJECT, AlertKind, AlertMode
from protocol.topics import BoxTopic, Leaf, home_topic

#: The box's own id is BOX_SUBJECT, which no camera can be called.
_ON, _OFF = "ON", "OFF"


class HomeAssistant:
    """Builds what Home Assistant reads. Not thread-safe: it is the bus's.

    ``follow`` says where open alerts and the box's condition come from; until then all is calm.
    Trials and drills are nothing to switch a lamp on for.
    """

    def __init__(self, config: EdgeConfig, software: str) -> None:
        box = config.box
        self._box_id = box.id
        self._names = {each.id: each.name for each in config.cameras if each.enabled}
        self._software = software
        self._device = {
            "identifiers": [f"tanshao_{box.id}"],
            "name": box.name,
            "manufacturer": "Tanshao",
            "model": "village box",
            "sw_version": software,
        }
        self._availability = {
            "topic": str(BoxTopic(box.region_code, box.id, Leaf.STATE)),
            "value_template": "{{ 'online' if value_json.data.online else 'offline' }}",
        }
        self._open_alerts: Callable[[], Sequence[OpenAlert]] = tuple
        self._has_trouble: Callable[[], bool] = lambda: False
        self._told: dict[str, str] = {}

    def follow(
        self, open_alerts: Callable[[], Sequence[OpenAlert]], has_trouble: Callable[[], bool]
    ) -> None:
        """Tell of these from now on; both are asked in the bus's thread and answer at once."""
        self._open_alerts, self._has_trouble = open_alerts, has_trouble

    def discovery(self) -> list[Outgoing]:
        """Return what makes the sensors known; retained, and what they show is told anew."""
        self._told.clear()
        cameras = [
            self._config(camera_id, name, {"device_class": "safety"})
            for camera_id, name in self._names.items()
        ]
        trouble = {"device_class": "problem", "entity_category": "diagnostic"}
        return [*cameras, self._config(BOX_SUBJECT, "主机故障", trouble)]

    def changes(self, *, with_trouble: bool) -> Iterator[Outgoing]:
        """Yield the states that differ from what was told; the box's own where it is asked for.

        To know whether it has trouble every part of it is asked: not at every alert.
        """
        now = self._alerting()
        if with_trouble:
            now[BOX_SUBJECT] = _word(is_on=self._has_trouble())
        for object_id, word in now.items():
            if self._told.get(object_id) != word:
                self._told[object_id] = word
                yield self._outgoing(object_id, "state", word)

    def _alerting(self) -> dict[str, str]:
        # A clock that is wrong for weeks must not hide all else; the box's sensor has it.
        alerting = {
            alert.camera_id
            for alert in self._open_alerts()
            if alert.mode is AlertMode.LIVE and alert.kind is not AlertKind.CAMERA_CLOCK
        }
        return {camera_id: _word(is_on=camera_id in alerting) for camera_id in self._names}

    def _config(self, object_id: str, name: str, more: Mapping[str, Any]) -> Outgoing:
        document = {
            "name": name,
            "unique_id": f"tanshao_{self._box_id}_{object_id}",
            "state_topic": home_topic(self._box_id, object_id, "state"),
            "payload_on": _ON,
            "payload_off": _OFF,
            "availability": [self._availability],
            "device": self._device,
            "origin": {"name": "Tanshao", "sw_version": self._software},
            "qos": 1,
            **more,
        }
        return self._outgoing(object_id, "config", json.dumps(document, ensure_ascii=False))

    def _outgoing(self, object_id: str, leaf: str, text: str) -> Outgoing:
        topic = home_topic(self._box_id, object_id, leaf)
        return Outgoing(topic, text.encode(), qos=1, retain=True)


def _word(*, is_on: bool) -> str:
    return _ON if is_on else _OFF

"""Prints every alert, of all boxes: python subscriber.py HOST PORT PASSWORD-FILE [--tls].

Needs paho-mqtt, and a broker that has a password for the user ``_reader`` (README.md).
"""  # noqa: INP001 - a script, in no package

import json
import sys
from pathlib import Path
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

TOPICS = [("tanshao/v1/+/+/event", 1), ("tanshao/v1/+/+/historical", 1)]


def show(_client: Client, _userdata: object, message: MQTTMessage) -> None:
    """Print an alert; what is not of version 1 is read over."""
    event: dict[str, Any] = json.loads(message.payload)
    if event.get("type") == "cn.tanshao.alert.v1":
        alert, late = event["data"], "补传 " if message.topic.endswith("/historical") else ""
        place = f"{event['source']} {alert['camera_name']}"
        line = f"{event['time']} {late}{alert['kind']} {alert['op']} {place} {alert['alert_id']}"
        print(line, flush=True)  # noqa: T201 - it is what it is for


host, port, password_file = sys.argv[1:4]
reader = Client(CallbackAPIVersion.VERSION2, client_id="_reader")
reader.username_pw_set("_reader", Path(password_file).read_text(encoding="utf-8").strip())
reader.on_connect = lambda client, *_: client.subscribe(TOPICS)  # anew after every break
reader.on_message = show
if "--tls" in sys.argv:
    reader.tls_set()
reader.connect(host, int(port))
reader.loop_forever()

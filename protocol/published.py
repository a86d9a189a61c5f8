"""The contract as others read it: a JSON Schema a message, and an AsyncAPI 3 document.

``python -m protocol.published FOLDER`` writes them; docs/protocol/ is what it wrote, and a test
compares. Sources: https://json-schema.org/draft/2020-12, https://www.asyncapi.com/docs (v3.0.0).
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from protocol.messages import (
    AlertMessage,
    CommandMessage,
    EpochMessage,
    HeartbeatMessage,
    Message,
    ReceiptMessage,
    ResendMessage,
    ResultMessage,
    StateMessage,
)
from protocol.topics import EPOCH, ROOT, Leaf

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_FORMAT = "application/schema+json;version=draft-2020-12"

#: The messages by the names of their schemas' files.
MESSAGES: Mapping[str, type[Message]] = {
    "alert.v1": AlertMessage,
    "result.v1": ResultMessage,
    "state.v1": StateMessage,
    "heartbeat.v1": HeartbeatMessage,
    "receipt.v1": ReceiptMessage,
    "command.v1": ResendMessage,
    "command.v2": CommandMessage,
    "epoch.v1": EpochMessage,
}

#: What names a message: their defaults are ours to leave out, not a sender's.
_NAMES = ("specversion", "type", "datacontenttype")

#: A channel's messages, its QoS, whether it is retained, and what the centre does with it.
_Use = tuple[tuple[str, ...], int, bool, str]
_CHANNELS: Mapping[str, _Use] = {
    Leaf.EVENT: (("alert.v1", "result.v1"), 1, False, "receive"),
    Leaf.HISTORICAL: (("alert.v1", "result.v1"), 1, False, "receive"),
    Leaf.STATE: (("state.v1",), 1, True, "receive"),
    Leaf.HEARTBEAT: (("heartbeat.v1",), 0, False, "receive"),
    Leaf.RECEIPT: (("receipt.v1",), 1, False, "send"),
    Leaf.COMMAND: (("command.v1", "command.v2"), 1, False, "send"),
}
_EPOCH: _Use = (("epoch.v1",), 1, True, "send")


def documents() -> dict[str, str]:
    """Return every document by its file name, as text that ends with a newline."""
    schemas = {f"{name}.json": _schema(model) for name, model in MESSAGES.items()}
    return {
        name: json.dumps(document, ensure_ascii=False, indent=2) + "\n"
        for name, document in {**schemas, "asyncapi.json": _asyncapi()}.items()
    }


def _schema(model: type[Message]) -> dict[str, Any]:
    schema = model.model_json_schema()
    schema["required"] = sorted({*schema.get("required", ()), *_NAMES})
    return {"$schema": _DIALECT, **schema}


def _asyncapi() -> dict[str, Any]:
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for leaf, use in _CHANNELS.items():
        parameters = {
            "region": {"description": "the village: 12 digits (GB/T 2260, GB/T 10114)"},
            "box": {"description": "the box's id: a-z, 0-9 and '-'"},
        }
        address = f"{ROOT}/{{region}}/{{box}}/{leaf}"
        channels[str(leaf)] = _channel(address, use[0], parameters)
        operations[f"{use[3]}_{leaf}"] = _operation(str(leaf), use)
    channels["epoch"] = _channel(EPOCH, _EPOCH[0], {})
    operations["send_epoch"] = _operation("epoch", _EPOCH)
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tanshao 探哨: between a village's box and the centre",
            "version": "1",
            "description": (
                "Seen from the centre. MQTT 3.1.1 or 5; CloudEvents 1.0 in structured JSON. "
                "Readers read over unknown fields; docs/design/protocol.md has the promises."
            ),
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {
            "messages": {
                name: {
                    "name": name,
                    "title": (model.__doc__ or "").partition("\n")[0],
                    "contentType": "application/json",
                    "payload": {"schemaFormat": _FORMAT, "schema": {"$ref": f"./{name}.json"}},
                }
                for name, model in MESSAGES.items()
            }
        },
    }


def _channel(
    address: str, messages: tuple[str, ...], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    channel: dict[str, Any] = {"address": address}
    if parameters:
        channel["parameters"] = parameters
    named = {message: {"$ref": f"#/components/messages/{message}"} for message in messages}
    return channel | {"messages": named}


def _operation(channel: str, use: _Use) -> dict[str, Any]:
    messages, qos, retained, action = use
    return {
        "action": action,
        "channel": {"$ref": f"#/channels/{channel}"},
        "messages": [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in messages],
        "bindings": {"mqtt": {"qos": qos, "retain": retained, "bindingVersion": "0.2.0"}},
    }


def write(folder: Path) -> None:
    """Write every document into ``folder``, which is made. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in documents().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))

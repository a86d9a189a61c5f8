"""Bytes of an MQTT payload to a message and back."""

from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from protocol.messages import AnyMessage

#: Alerts are under 4 KB; 256 KB leaves room for a snapshot of 256 cameras and bounds the parser.
MAX_PAYLOAD_BYTES = 256 * 1024

_ADAPTER: TypeAdapter[AnyMessage] = TypeAdapter(Annotated[AnyMessage, Field(discriminator="type")])


class BadMessageError(ValueError):
    """The payload is not a message of this protocol version; the text says why, briefly."""


def encode(message: AnyMessage) -> bytes:
    """Return the message as UTF-8 JSON; absent optional fields are left out."""
    return message.model_dump_json(exclude_none=True).encode()


def decode(payload: bytes) -> AnyMessage:
    """Return the message in ``payload``.

    Raises BadMessageError where it is too long, not JSON, of an unknown type or version, or breaks
    its schema. The error quotes the failing keys, never the whole payload.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise BadMessageError(f"payload: {len(payload)} bytes, at most {MAX_PAYLOAD_BYTES}")
    try:
        return _ADAPTER.validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[:3]
        reasons = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'payload'}: {e['msg']}" for e in first
        )
        raise BadMessageError(reasons) from error

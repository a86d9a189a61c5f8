"""MQTT 5 reason codes in words that say what to do about them. Pure.

Source: OASIS MQTT 5.0, 2.4. A broker that speaks 3.1.1 gives few of them: paho turns its codes into
the ones below, a refused subscription into "Unspecified error", and a refused message it swallows.
"""

_ADVICE = {
    0x82: "the broker and this program do not understand each other",
    0x84: "this broker does not speak MQTT 5 (the embedded one does not): set version 3.1.1",
    0x85: "the broker wants another client id: it must be the user name",
    0x86: "no such user at the broker, or another password",
    0x87: "the rules (ACL) forbid it; on signing in: no such user, or another password",
    0x88: "the broker is starting, or ends",
    0x89: "the broker has too much to do",
    0x8A: "the broker has banned this user",
    0x8B: "the broker ends",
    0x8D: "it heard nothing for one and a half keep-alives: the link is slow or was cut",
    0x8E: "another client signed in under the same name: are there two of them?",
    0x8F: "the broker takes no such filter",
    0x90: "the broker takes no such topic",
    0x93: "more messages were under way than the broker allows",
    0x95: "the message is longer than the broker takes (Mosquitto: max_packet_size)",
    0x96: "the broker allows fewer messages a second",
    0x97: "the broker's limit for this user is reached (connections, messages, bytes)",
    0x98: "somebody ended it at the broker",
    0x9A: "the broker keeps no messages: allow it to (Mosquitto: retain_available)",
    0x9C: "the boxes are served by another broker",
    0x9D: "the boxes are served by another broker",
    0x9E: "the broker has no shared subscriptions: one consumer only",
    0x9F: "the broker allows fewer new connections",
}


def explained(code: int, name: str) -> str:
    """Return a reason's name, its code and, where there is some, advice: for logs and health."""
    words = f"{name} (0x{code:02x})"
    advice = _ADVICE.get(code)
    return f"{words}: {advice}" if advice else words

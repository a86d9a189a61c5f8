"""Who may write and read which topic: pure, the same rules for every kind of broker."""

from collections.abc import Iterable

from protocol.topics import (
    ALERT_FILTERS,
    CENTRE_USER,
    DOWN_LEAVES,
    EPOCH,
    EVENT_LEAVES,
    HOME_FILTERS,
    HOME_LEAVES,
    HOME_ROOT,
    HOME_USER,
    READER_USER,
    ROOT,
    SHAREABLE_FILTERS,
    UPLINK_FILTERS,
    BoxTopic,
    Leaf,
    box_of_home_topic,
    is_centre,
    unshared,
)

#: What a box writes; the centre reads it.
UP = EVENT_LEAVES | {Leaf.STATE, Leaf.HEARTBEAT}


def may_write(username: str, topic: str) -> bool:
    """Return whether ``username`` may publish on ``topic``; wildcards are never topics."""
    parts = BoxTopic.parse(topic)
    if is_centre(username):
        return topic == EPOCH or (parts is not None and parts.leaf in DOWN_LEAVES)
    if box_of_home_topic(topic) == username:
        return True
    return parts is not None and parts.box_id == username and parts.leaf in UP


def may_read(username: str, topic: str) -> bool:
    """Return whether a message on ``topic`` may be delivered to ``username``."""
    parts = BoxTopic.parse(topic)
    if is_centre(username):
        return parts is not None and parts.leaf in UP
    if username == READER_USER:
        return parts is not None and parts.leaf in EVENT_LEAVES
    if username == HOME_USER:
        of_home = box_of_home_topic(topic) is not None
        return of_home or (parts is not None and parts.leaf is Leaf.STATE)
    return topic == EPOCH or (
        parts is not None and parts.box_id == username and parts.leaf in DOWN_LEAVES
    )


def may_subscribe(username: str, topic_filter: str) -> bool:
    """Return whether ``username`` may subscribe: to topics it may read, or its filters over all."""
    if is_centre(username) and topic_filter in UPLINK_FILTERS:
        return True
    if is_centre(username) and unshared(topic_filter) in SHAREABLE_FILTERS:
        return True
    if username == READER_USER and topic_filter in ALERT_FILTERS:
        return True
    if username == HOME_USER and topic_filter in HOME_FILTERS:
        return True
    return may_read(username, topic_filter)


def mosquitto_acl(centres: Iterable[str] = (CENTRE_USER,)) -> str:
    """Return the same rules as a Mosquitto ACL file; ``%u`` is the signed-in box.

    ``centres`` are the centre's consumers: Mosquitto has no rule for a kind of user. Of a shared
    subscription it asks about each message's own topic.
    """
    up, down = sorted(UP), sorted(DOWN_LEAVES)
    lines: list[str] = []
    for centre in centres:
        lines.append(f"user {centre}")
        lines += [f"topic read {topic_filter}" for topic_filter in UPLINK_FILTERS]
        lines += [f"topic write {ROOT}/+/+/{leaf}" for leaf in down]
        lines.append(f"topic write {EPOCH}")
    lines.append(f"user {READER_USER}")
    lines += [f"topic read {topic_filter}" for topic_filter in ALERT_FILTERS]
    lines.append(f"user {HOME_USER}")
    lines += [f"topic read {topic_filter}" for topic_filter in HOME_FILTERS]
    lines += [f"pattern write {ROOT}/+/%u/{leaf}" for leaf in up]
    lines += [f"pattern write {HOME_ROOT}/%u/+/{leaf}" for leaf in HOME_LEAVES]
    lines += [f"pattern read {ROOT}/+/%u/{leaf}" for leaf in down]
    lines.append(f"pattern read {EPOCH}")
    return "\n".join(lines) + "\n"

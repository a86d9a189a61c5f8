"""The MQTT topic tree, version 1. Every level is ASCII; Chinese text is in payloads only.

::

    tanshao/v1/<region>/<box>/event      up    QoS 1  alerts; never retained
    tanshao/v1/<region>/<box>/historical up    QoS 1  alerts of more than a minute ago
    tanshao/v1/<region>/<box>/state      up    QoS 1  birth snapshot, last will; retained
    tanshao/v1/<region>/<box>/heartbeat  up    QoS 0  every 60 s; never retained
    tanshao/v1/<region>/<box>/receipt    down  QoS 1  what the centre has committed
    tanshao/v1/<region>/<box>/command    down  QoS 1  what the centre asks for; never retained
    tanshao/v1/centre/epoch              down  QoS 1  the consumer's incarnation; retained

A box may write under its own prefix and read its own receipts, its own commands
and the epoch, nothing else.
A box signs in as its box id, the centre's consumer as ``CENTRE_USER``, which no box can be called,
and where it has several consumers as ``CENTRE_USER`` with a number.
Nor can one be called ``READER_USER``, who reads every box's alerts and writes nothing, or
``HOME_USER``, who reads what boxes write below ``homeassistant/`` and whether they are there.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from protocol.ids import BOX_ID, LOCAL_ID, REGION_CODE

ROOT = "tanshao/v1"
EPOCH = f"{ROOT}/centre/epoch"
CENTRE_USER = "_centre"
READER_USER = "_reader"
#: Home Assistant, where it reads along; what boxes write for it is below HOME_ROOT.
HOME_USER = "_home"
HOME_ROOT = "homeassistant/binary_sensor"
#: What of a sensor a box writes: how it is to be known, and how it is.
HOME_LEAVES = ("config", "state")
#: Consumers that share their work have the numbers from 1 to this.
MAX_REPLICAS = 99

_CENTRE = re.compile(rf"{CENTRE_USER}(-[1-9][0-9]?)?", re.ASCII)


class Leaf(StrEnum):
    """The last level of a box's topics."""

    EVENT = "event"
    HISTORICAL = "historical"
    STATE = "state"
    HEARTBEAT = "heartbeat"
    RECEIPT = "receipt"
    COMMAND = "command"


#: What a consumer subscribes to that is alone.
UPLINK_FILTERS = tuple(
    f"{ROOT}/+/+/{leaf}" for leaf in (Leaf.EVENT, Leaf.HISTORICAL, Leaf.STATE, Leaf.HEARTBEAT)
)
#: What the centre writes to one box.
DOWN_LEAVES = frozenset({Leaf.RECEIPT, Leaf.COMMAND})
#: Where alerts come; which of the two says whether it is news.
EVENT_LEAVES = frozenset({Leaf.EVENT, Leaf.HISTORICAL})
#: The alerts of every box: what another program may subscribe to.
ALERT_FILTERS = tuple(f"{ROOT}/+/+/{leaf}" for leaf in (Leaf.EVENT, Leaf.HISTORICAL))
#: What every box says of itself: of several consumers one reads it (protocol I15).
SITE_FILTERS = tuple(f"{ROOT}/+/+/{leaf}" for leaf in (Leaf.STATE, Leaf.HEARTBEAT))
#: The rest, each message for one of them (protocol I14).
SHAREABLE_FILTERS = tuple(each for each in UPLINK_FILTERS if each not in SITE_FILTERS)
#: A shared subscription's first level.
SHARE = "$share"


def replica_user(number: int) -> str:
    """Return what the centre's consumer ``number`` signs in as, from 1 to MAX_REPLICAS."""
    return f"{CENTRE_USER}-{number}"


def shared_filters(share: str) -> tuple[str, ...]:
    """Return what consumers subscribe to that share their work under the name ``share``."""
    return tuple(f"{SHARE}/{share}/{topic_filter}" for topic_filter in SHAREABLE_FILTERS)


def unshared(topic_filter: str) -> str | None:
    """Return the filter within a shared subscription; None where it is none."""
    share, _, rest = topic_filter.partition("/")
    name, _, inner = rest.partition("/")
    return inner if share == SHARE and name and inner else None


def is_centre(username: str) -> bool:
    """Return whether a user is a consumer of the centre's, alone or one of several."""
    return _CENTRE.fullmatch(username) is not None


#: What Home Assistant may subscribe to.
HOME_FILTERS = ("homeassistant/#", f"{ROOT}/+/+/{Leaf.STATE}")


def home_topic(box_id: str, object_id: str, leaf: str) -> str:
    """Return the topic of a box's sensor for Home Assistant."""
    return f"{HOME_ROOT}/{box_id}/{object_id}/{leaf}"


def box_of_home_topic(topic: str) -> str | None:
    """Return whose sensor a topic is of; None where it is none of :func:`home_topic`."""
    match topic.removeprefix(f"{HOME_ROOT}/").split("/"):
        case [box_id, object_id, leaf] if leaf in HOME_LEAVES and LOCAL_ID.match(object_id):
            return box_id if home_topic(box_id, object_id, leaf) == topic else None
        case _:
            return None


@dataclass(frozen=True, slots=True)
class BoxTopic:
    """A topic of one box, taken apart."""

    region_code: str
    box_id: str
    leaf: Leaf

    def __str__(self) -> str:
        """Return the topic as MQTT carries it."""
        return f"{ROOT}/{self.region_code}/{self.box_id}/{self.leaf}"

    @classmethod
    def parse(cls, topic: str) -> "BoxTopic | None":
        """Return the parts of ``topic``, or None where it is not a box's topic of version 1."""
        parts = topic.split("/")
        try:
            root, version, region_code, box_id, leaf = parts
            topic_of = cls(region_code, box_id, Leaf(leaf))
        except ValueError:
            return None
        if f"{root}/{version}" != ROOT or not REGION_CODE.match(region_code):
            return None
        return topic_of if BOX_ID.match(box_id) else None

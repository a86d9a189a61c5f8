"""Every table of the centre. Importing this package makes ``Base.metadata`` complete."""

from central.db.base import Base
from central.db.models.activities import Activity, ActivityLedger, ActivityPlace
from central.db.models.alerts import (
    Alert,
    AlertDuty,
    AlertLedger,
    BoxEvent,
    BoxGap,
    BoxOutbox,
    Evidence,
    EvidenceLacking,
    Quarantine,
    QuarantineLedger,
)
from central.db.models.commands import BoxCommand, CommandLedger
from central.db.models.consumers import ConsumerPulse
from central.db.models.examples import Example, ExampleCamera, ExampleDue, ExampleEntry
from central.db.models.feed import FeedFloor, FeedRow
from central.db.models.incidents import (
    Incident,
    IncidentAlert,
    IncidentHandler,
    IncidentLedger,
    IncidentSerial,
)
from central.db.models.people import Account, Person, RateCount, Session, Viewing
from central.db.models.points import Filing, Point, PointLedger, SignPhoto
from central.db.models.roster import Shift, ShiftAssignment
from central.db.models.sites import Box, Camera, ConsumerGroup, Grid, Region

__all__ = [
    "Account",
    "Activity",
    "ActivityLedger",
    "ActivityPlace",
    "Alert",
    "AlertDuty",
    "AlertLedger",
    "Base",
    "Box",
    "BoxCommand",
    "BoxEvent",
    "BoxGap",
    "BoxOutbox",
    "Camera",
    "CommandLedger",
    "ConsumerGroup",
    "ConsumerPulse",
    "Evidence",
    "EvidenceLacking",
    "Example",
    "ExampleCamera",
    "ExampleDue",
    "ExampleEntry",
    "FeedFloor",
    "FeedRow",
    "Filing",
    "Grid",
    "Incident",
    "IncidentAlert",
    "IncidentHandler",
    "IncidentLedger",
    "IncidentSerial",
    "Person",
    "Point",
    "PointLedger",
    "Quarantine",
    "QuarantineLedger",
    "RateCount",
    "Region",
    "Session",
    "Shift",
    "ShiftAssignment",
    "SignPhoto",
    "Viewing",
]

"""The base of all tables: names of constraints, types of annotations."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Enum, MetaData, Text, Uuid
from sqlalchemy.orm import DeclarativeBase

from central.codes import (
    ActivityKind,
    AlertState,
    BoxState,
    CameraShown,
    Category,
    CommandState,
    EvidencePlace,
    ExampleAct,
    FalseReason,
    FeedKind,
    IncidentState,
    Leaving,
    Post,
    Role,
    UpgradeRing,
)
from central.db.types import BigKey, Json, UtcDateTime
from central.points.codes import DeviceType, PlaceType, PointState
from protocol.messages import (
    AlertKind,
    AlertLevel,
    AlertMode,
    EvidenceKind,
    EvidenceLack,
    LegalBasis,
)

#: Every constraint has a name, so that a migration can speak of it on both databases.
NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def _words(enum: Any) -> Enum:  # noqa: ANN401 - any of the enums below
    """Return a column of the enum's values, as text: adding a word needs no migration."""
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        length=24,
        values_callable=lambda kind: [member.value for member in kind],
    )


class Base(DeclarativeBase):
    """What every table is made from."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        str: Text(),
        int: BigKey,
        datetime: UtcDateTime(),
        UUID: Uuid(),
        dict[str, Any]: Json,
        ActivityKind: _words(ActivityKind),
        AlertKind: _words(AlertKind),
        AlertLevel: _words(AlertLevel),
        AlertMode: _words(AlertMode),
        AlertState: _words(AlertState),
        BoxState: _words(BoxState),
        CameraShown: _words(CameraShown),
        Category: _words(Category),
        CommandState: _words(CommandState),
        DeviceType: _words(DeviceType),
        EvidenceKind: _words(EvidenceKind),
        EvidenceLack: _words(EvidenceLack),
        EvidencePlace: _words(EvidencePlace),
        ExampleAct: _words(ExampleAct),
        FalseReason: _words(FalseReason),
        FeedKind: _words(FeedKind),
        IncidentState: _words(IncidentState),
        Leaving: _words(Leaving),
        LegalBasis: _words(LegalBasis),
        PlaceType: _words(PlaceType),
        PointState: _words(PointState),
        Post: _words(Post),
        Role: _words(Role),
        UpgradeRing: _words(UpgradeRing),
    }

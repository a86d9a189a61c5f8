"""Points and filings, and what boxes say of how long they keep what and by which right."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(length=24)
TEXT = sa.Text()
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")


def upgrade() -> None:
    """Add the tables and columns; no alert of before came from a point's trial run."""
    op.add_column("camera", sa.Column("retention_days", KEY, nullable=True))
    op.add_column("camera", sa.Column("legal_basis", WORD, nullable=True))
    op.add_column(
        "alert", sa.Column("in_trial", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    for create in (_sign_photo, _point, _filing, _point_ledger):
        create()
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(
                f"create trigger point_ledger_no_{act} before {act} on point_ledger "
                "begin select raise(abort, 'point_ledger is append-only'); end"
            )
        return
    op.execute(
        "create trigger point_ledger_no_change before update or delete on point_ledger "
        "for each row execute function tanshao_append_only()"
    )
    op.execute(
        "create trigger point_ledger_no_truncate before truncate on point_ledger "
        "for each statement execute function tanshao_append_only()"
    )


def _sign_photo() -> None:
    op.create_table(
        "sign_photo",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("place", WORD, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("width", KEY, nullable=False),
        sa.Column("height", KEY, nullable=False),
        sa.Column("size_bytes", KEY, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.Column("stored_by", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["stored_by"], ["person.id"], name="fk_sign_photo_stored_by_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_sign_photo"),
    )
    op.create_index("ix_sign_photo_uid", "sign_photo", ["uid", "stored_at"])


def _point() -> None:
    op.create_table(
        "point",
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("state_since", MOMENT, nullable=False),
        sa.Column("in_use_since", MOMENT, nullable=True),
        sa.Column("place_type", WORD, nullable=True),
        sa.Column("legal_basis", WORD, nullable=True),
        sa.Column("device_type", WORD, nullable=False),
        sa.Column("manager_unit", TEXT, nullable=False),
        sa.Column("manager_phone", TEXT, nullable=False),
        sa.Column("installed_on", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("checklist", DOCUMENT, nullable=True),
        sa.Column("checklist_note", TEXT, nullable=False),
        sa.Column("checklist_by", TEXT, nullable=True),
        sa.Column("checklist_at", MOMENT, nullable=True),
        sa.Column("photo_id", sa.Uuid(), nullable=True),
        sa.Column("sign_checked_at", MOMENT, nullable=True),
        sa.Column("sign_whole", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(checklist_by is null) = (checklist_at is null)", name="ck_point_checklist_is_signed"
        ),
        sa.CheckConstraint(
            "state <> 'in_use' or in_use_since is not null", name="ck_point_in_use_has_begun"
        ),
        sa.ForeignKeyConstraint(
            ["checklist_by"], ["person.id"], name="fk_point_checklist_by_person"
        ),
        sa.ForeignKeyConstraint(
            ["photo_id"], ["sign_photo.id"], name="fk_point_photo_id_sign_photo"
        ),
        sa.PrimaryKeyConstraint("uid", name="pk_point"),
    )


def _filing() -> None:
    op.create_table(
        "filing",
        sa.Column("id", KEY, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("filed_on", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.Column("facts", DOCUMENT, nullable=False),
        sa.Column("entered_by", TEXT, nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("changed_since", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["entered_by"], ["person.id"], name="fk_filing_entered_by_person"),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_filing_region_code_region"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_filing"),
    )


def _point_ledger() -> None:
    op.create_table(
        "point_ledger",
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("position", KEY, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", TEXT, nullable=False),
        sa.Column("device", TEXT, nullable=True),
        sa.Column("from_state", TEXT, nullable=True),
        sa.Column("to_state", TEXT, nullable=True),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("prev_hash", TEXT, nullable=False),
        sa.Column("hash", TEXT, nullable=False),
        sa.Column("actor_id", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["person.id"], name="fk_point_ledger_actor_id_person"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_point_ledger"),
    )
    op.create_index("ix_point_ledger_subject", "point_ledger", ["subject"])

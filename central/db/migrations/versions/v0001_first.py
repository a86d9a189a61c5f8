"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)
WORD = sa.String(length=24)
TEXT = sa.Text()
DOCUMENT = sa.JSON().with_variant(JSONB(), "postgresql")

#: History: rows come, and never change or go.
APPEND_ONLY = (
    "activity_ledger",
    "alert_duty",
    "alert_ledger",
    "command_ledger",
    "example_entry",
    "incident_handler",
    "incident_ledger",
    "quarantine_ledger",
    "viewing",
)


def upgrade() -> None:
    """Create every table, and what keeps history as it is."""
    for create in TABLES:
        create()
    protect = _protect_sqlite if op.get_bind().dialect.name == "sqlite" else _protect_postgresql
    protect()


def _protect_sqlite() -> None:
    for table in APPEND_ONLY:
        for act in ("update", "delete"):
            op.execute(
                f"create trigger {table}_no_{act} before {act} on {table} "
                f"begin select raise(abort, '{table} is append-only'); end"
            )
    op.execute(
        "create trigger incident_checker before update on incident when exists "
        "(select 1 from incident_handler as handled where handled.incident_id = new.id "
        "and handled.person_id = new.checker_id) "
        "begin select raise(abort, 'who handled an incident never checks it'); end"
    )


def _protect_postgresql() -> None:
    op.execute(
        "create function tanshao_append_only() returns trigger language plpgsql as "
        "$$ begin raise exception '% is append-only', tg_table_name "
        "using errcode = 'restrict_violation'; end $$"
    )
    for table in APPEND_ONLY:
        op.execute(
            f"create trigger {table}_no_change before update or delete on {table} "
            "for each row execute function tanshao_append_only()"
        )
        op.execute(
            f"create trigger {table}_no_truncate before truncate on {table} "
            "for each statement execute function tanshao_append_only()"
        )
    op.execute(
        "create function tanshao_checker() returns trigger language plpgsql as "
        "$$ begin if exists (select 1 from incident_handler as handled "
        "where handled.incident_id = new.id and handled.person_id = new.checker_id) "
        "then raise exception 'who handled an incident never checks it' "
        "using errcode = 'restrict_violation'; end if; return new; end $$"
    )
    op.execute(
        "create trigger incident_checker before update on incident "
        "for each row execute function tanshao_checker()"
    )


def _feed() -> None:
    op.create_table(
        "feed",
        sa.Column("id", KEY, nullable=False),
        sa.Column("xid", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("ref", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feed"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_feed_at", "feed", ["at"])
    op.create_index("ix_feed_cursor", "feed", ["xid", "id"])


def _feed_floor() -> None:
    op.create_table(
        "feed_floor",
        sa.Column("one", KEY, autoincrement=False, nullable=False),
        sa.Column("xid", KEY, nullable=False),
        sa.Column("id", KEY, nullable=False),
        sa.CheckConstraint("one = 1", name="ck_feed_floor_one_row"),
        sa.PrimaryKeyConstraint("one", name="pk_feed_floor"),
    )


def _consumer_group() -> None:
    op.create_table(
        "consumer_group",
        sa.Column("one", KEY, autoincrement=False, nullable=False),
        sa.Column("share", TEXT, nullable=False),
        sa.Column("leader", TEXT, nullable=False),
        sa.Column("leads_until", MOMENT, nullable=False),
        sa.CheckConstraint("one = 1", name="ck_consumer_group_one_row"),
        sa.PrimaryKeyConstraint("one", name="pk_consumer_group"),
    )


def _quarantine() -> None:
    op.create_table(
        "quarantine",
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("topic", TEXT, nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", KEY, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("box_id", TEXT, nullable=True),
        sa.Column("outbox_id", sa.Uuid(), nullable=True),
        sa.Column("sequence", KEY, nullable=True),
        sa.Column("is_doubled", sa.Boolean(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("times", KEY, nullable=False),
        sa.Column("let_go_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_quarantine"),
    )
    op.create_index("ix_quarantine_place", "quarantine", ["box_id", "outbox_id", "sequence"])
    op.create_index("ix_quarantine_topic", "quarantine", ["topic"])


def _rate_count() -> None:
    op.create_table(
        "rate_count",
        sa.Column("key", TEXT, nullable=False),
        sa.Column("count", KEY, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_rate_count"),
    )
    op.create_index("ix_rate_count_expires_at", "rate_count", ["expires_at"])


def _region() -> None:
    op.create_table(
        "region",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_region"),
    )


def _box() -> None:
    op.create_table(
        "box",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("token_sha256", TEXT, nullable=False),
        sa.Column("online", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("last_seen_at", MOMENT, nullable=True),
        sa.Column("boot_id", sa.Uuid(), nullable=True),
        sa.Column("connection_id", sa.Uuid(), nullable=True),
        sa.Column("started_at", MOMENT, nullable=True),
        sa.Column("software", TEXT, nullable=False),
        sa.Column("last_sequence", KEY, nullable=False),
        sa.Column("outbox_rows", KEY, nullable=False),
        sa.Column("outbox_oldest_at", MOMENT, nullable=True),
        sa.Column("evidence_pending", KEY, nullable=False),
        sa.Column("disk_free_bytes", KEY, nullable=True),
        sa.Column("recording_bytes", KEY, nullable=True),
        sa.Column("detector", TEXT, nullable=False),
        sa.Column("detector_model", TEXT, nullable=True),
        sa.Column("clock", DOCUMENT, nullable=True),
        sa.Column("uplink", DOCUMENT, nullable=True),
        sa.Column("outbox", DOCUMENT, nullable=True),
        sa.Column("upgrade_ring", WORD, nullable=False),
        sa.Column("target_version", TEXT, nullable=False),
        sa.Column("clock_offset_ms", KEY, nullable=True),
        sa.ForeignKeyConstraint(["region_code"], ["region.code"], name="fk_box_region_code_region"),
        sa.PrimaryKeyConstraint("id", name="pk_box"),
    )


def _incident_serial() -> None:
    op.create_table(
        "incident_serial",
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("last", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_incident_serial_region_code_region"
        ),
        sa.PrimaryKeyConstraint("region_code", "day", name="pk_incident_serial"),
    )


def _person() -> None:
    op.create_table(
        "person",
        sa.Column("id", TEXT, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("post", TEXT, nullable=False),
        sa.Column("phone", TEXT, nullable=False),
        sa.Column("pin_hash", TEXT, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_person_region_code_region"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )


def _shift() -> None:
    op.create_table(
        "shift",
        sa.Column("id", KEY, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.CheckConstraint('"end" > start', name="ck_shift_ends_after_start"),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_shift_region_code_region"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_shift"),
        sa.UniqueConstraint("region_code", "start", "name", name="uq_shift_region_code_start_name"),
    )
    op.create_index("ix_shift_end", "shift", ["end"])


def _account() -> None:
    op.create_table(
        "account",
        sa.Column("username", TEXT, nullable=False),
        sa.Column("password_hash", TEXT, nullable=False),
        sa.Column("role", WORD, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "role = 'wall' or person_id is not null", name="ck_account_person_or_wall"
        ),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_account_person_id_person"),
        sa.PrimaryKeyConstraint("username", name="pk_account"),
    )


def _activity() -> None:
    op.create_table(
        "activity",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("title", TEXT, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.Column("weekdays", TEXT, nullable=False),
        sa.Column("last_day", TEXT, nullable=True),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("over_at", MOMENT, nullable=False),
        sa.Column("expected", KEY, nullable=False),
        sa.Column("contact", TEXT, nullable=False),
        sa.Column("safety", TEXT, nullable=False),
        sa.Column("filed_by", TEXT, nullable=False),
        sa.Column("filed_at", MOMENT, nullable=False),
        sa.Column("terms_by", TEXT, nullable=False),
        sa.Column("approved_by", TEXT, nullable=True),
        sa.Column("approved_at", MOMENT, nullable=True),
        sa.Column("cancelled_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(approved_by is null) = (approved_at is null)", name="ck_activity_approved_at_once"
        ),
        sa.CheckConstraint("approved_by <> terms_by", name="ck_activity_approved_by_another"),
        sa.CheckConstraint('"end" > start', name="ck_activity_ends_after_start"),
        sa.CheckConstraint("expected > 0", name="ck_activity_expects_someone"),
        sa.ForeignKeyConstraint(
            ["approved_by"], ["person.id"], name="fk_activity_approved_by_person"
        ),
        sa.ForeignKeyConstraint(["filed_by"], ["person.id"], name="fk_activity_filed_by_person"),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_activity_region_code_region"
        ),
        sa.ForeignKeyConstraint(["terms_by"], ["person.id"], name="fk_activity_terms_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_activity"),
    )
    op.create_index("ix_activity_over_at", "activity", ["over_at", "id"])


def _activity_place() -> None:
    op.create_table(
        "activity_place",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("is_grid", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_activity_place_activity_id_activity"
        ),
        sa.PrimaryKeyConstraint("activity_id", "place", name="pk_activity_place"),
    )
    op.create_index("ix_activity_place_place", "activity_place", ["place"])


def _activity_ledger() -> None:
    op.create_table(
        "activity_ledger",
        sa.Column("activity_id", sa.Uuid(), nullable=False),
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
            ["activity_id"], ["activity.id"], name="fk_activity_ledger_activity_id_activity"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["person.id"], name="fk_activity_ledger_actor_id_person"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_activity_ledger"),
    )
    op.create_index("ix_activity_ledger_activity_id", "activity_ledger", ["activity_id"])


def _alert() -> None:
    op.create_table(
        "alert",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", KEY, nullable=False),
        sa.Column("box_at", MOMENT, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("level", WORD, nullable=False),
        sa.Column("mode", WORD, nullable=False),
        sa.Column("camera_uid", TEXT, nullable=False),
        sa.Column("camera_name", TEXT, nullable=False),
        sa.Column("grid_code", TEXT, nullable=False),
        sa.Column("rule_id", TEXT, nullable=False),
        sa.Column("region_id", TEXT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("count", KEY, nullable=False),
        sa.Column("threshold", KEY, nullable=False),
        sa.Column("peak", KEY, nullable=False),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("clock_doubtful", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("sign_by", MOMENT, nullable=False),
        sa.Column("verify_by", MOMENT, nullable=False),
        sa.Column("acked_by", TEXT, nullable=True),
        sa.Column("acked_at", MOMENT, nullable=True),
        sa.Column("verified_by", TEXT, nullable=True),
        sa.Column("verified_at", MOMENT, nullable=True),
        sa.Column("reason", WORD, nullable=True),
        sa.Column("note", TEXT, nullable=False),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("activity_left", WORD, nullable=True),
        sa.Column("activity_left_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "state <> 'FALSE' or reason is not null", name="ck_alert_false_has_reason"
        ),
        sa.CheckConstraint(
            "state = 'NEW' or acked_by is not null "
            "or (state = 'KNOWN' and activity_id is not null)",
            name="ck_alert_signed_by_someone",
        ),
        sa.CheckConstraint(
            "state in ('NEW', 'ACKED') or verified_by is not null "
            "or (state = 'KNOWN' and activity_id is not null)",
            name="ck_alert_verified_by_someone",
        ),
        sa.ForeignKeyConstraint(["acked_by"], ["person.id"], name="fk_alert_acked_by_person"),
        sa.ForeignKeyConstraint(
            ["activity_id"], ["activity.id"], name="fk_alert_activity_id_activity"
        ),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_alert_box_id_box"),
        sa.ForeignKeyConstraint(["verified_by"], ["person.id"], name="fk_alert_verified_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_alert"),
    )
    op.create_index("ix_alert_activity_id", "alert", ["activity_id"])
    op.create_index("ix_alert_camera_uid", "alert", ["camera_uid", "started_at"])
    op.create_index("ix_alert_started_at", "alert", ["started_at", "id"])
    op.create_index("ix_alert_state", "alert", ["state"])


def _box_event() -> None:
    op.create_table(
        "box_event",
        sa.Column("id", KEY, nullable=False),
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", KEY, nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("payload", DOCUMENT, nullable=False),
        sa.Column("digest", TEXT, nullable=False),
        sa.Column("prevhash", TEXT, nullable=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_box_event_box_id_box"),
        sa.PrimaryKeyConstraint("id", name="pk_box_event"),
        sa.UniqueConstraint(
            "box_id", "outbox_id", "sequence", name="uq_box_event_box_id_outbox_id_sequence"
        ),
    )


def _box_outbox() -> None:
    op.create_table(
        "box_outbox",
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("first_at", MOMENT, nullable=False),
        sa.Column("last_at", MOMENT, nullable=False),
        sa.Column("received", KEY, nullable=False),
        sa.Column("repeated", KEY, nullable=False),
        sa.Column("highest", KEY, nullable=False),
        sa.Column("complete_to", KEY, nullable=False),
        sa.Column("broken_at", KEY, nullable=True),
        sa.Column("told_last", KEY, nullable=False),
        sa.Column("told_head", TEXT, nullable=True),
        sa.Column("told_first", KEY, nullable=True),
        sa.Column("told_at", MOMENT, nullable=True),
        sa.Column("missing_since", MOMENT, nullable=True),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_box_outbox_box_id_box"),
        sa.PrimaryKeyConstraint("box_id", "outbox_id", name="pk_box_outbox"),
    )


def _box_gap() -> None:
    op.create_table(
        "box_gap",
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("outbox_id", sa.Uuid(), nullable=False),
        sa.Column("first", KEY, autoincrement=False, nullable=False),
        sa.Column("last", KEY, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=True),
        sa.Column("first_asked_at", MOMENT, nullable=True),
        sa.Column("times", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["box_id", "outbox_id"],
            ["box_outbox.box_id", "box_outbox.outbox_id"],
            name="fk_box_gap_box_id_box_outbox",
        ),
        sa.PrimaryKeyConstraint("box_id", "outbox_id", "first", name="pk_box_gap"),
    )


def _consumer_pulse() -> None:
    op.create_table(
        "consumer_pulse",
        sa.Column("name", TEXT, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.Column("connected", sa.Boolean(), nullable=False),
        sa.Column("queued", KEY, nullable=False),
        sa.Column("received", KEY, nullable=False),
        sa.Column("committed", KEY, nullable=False),
        sa.Column("committed_at", MOMENT, nullable=True),
        sa.Column("overflowed", KEY, nullable=False),
        sa.Column("refused", KEY, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_consumer_pulse"),
    )


def _quarantine_ledger() -> None:
    op.create_table(
        "quarantine_ledger",
        sa.Column("digest", TEXT, nullable=False),
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
            ["actor_id"], ["person.id"], name="fk_quarantine_ledger_actor_id_person"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_quarantine_ledger"),
    )
    op.create_index("ix_quarantine_ledger_digest", "quarantine_ledger", ["digest"])


def _box_command() -> None:
    op.create_table(
        "box_command",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("kind", TEXT, nullable=False),
        sa.Column("arguments", DOCUMENT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("asked_by", TEXT, nullable=False),
        sa.Column("actor", TEXT, nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("given_at", MOMENT, nullable=True),
        sa.Column("given", KEY, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("why", TEXT, nullable=False),
        sa.Column("detail", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_box_command_box_id_box"),
        sa.ForeignKeyConstraint(["asked_by"], ["person.id"], name="fk_box_command_asked_by_person"),
        sa.PrimaryKeyConstraint("id", name="pk_box_command"),
    )
    op.create_index("ix_box_command_box_id", "box_command", ["box_id", "id"])
    op.create_index("ix_box_command_state", "box_command", ["state"])


def _command_ledger() -> None:
    op.create_table(
        "command_ledger",
        sa.Column("command_id", sa.Uuid(), nullable=False),
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
            ["actor_id"], ["person.id"], name="fk_command_ledger_actor_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["command_id"], ["box_command.id"], name="fk_command_ledger_command_id_box_command"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_command_ledger"),
    )
    op.create_index("ix_command_ledger_command_id", "command_ledger", ["command_id"])


def _camera() -> None:
    op.create_table(
        "camera",
        sa.Column("uid", TEXT, nullable=False),
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("camera_id", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("grid_code", TEXT, nullable=False),
        sa.Column("place", TEXT, nullable=False),
        sa.Column("has_sub", sa.Boolean(), nullable=False),
        sa.Column("state", WORD, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("last_packet_at", MOMENT, nullable=True),
        sa.Column("present", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["box_id"], ["box.id"], name="fk_camera_box_id_box"),
        sa.PrimaryKeyConstraint("uid", name="pk_camera"),
    )
    op.create_index("ix_camera_box_id", "camera", ["box_id", "camera_id"], unique=True)


def _grid() -> None:
    op.create_table(
        "grid",
        sa.Column("code", TEXT, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("worker_id", TEXT, nullable=True),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_grid_region_code_region"
        ),
        sa.ForeignKeyConstraint(["worker_id"], ["person.id"], name="fk_grid_worker_id_person"),
        sa.PrimaryKeyConstraint("code", name="pk_grid"),
    )


def _incident() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("serial", TEXT, nullable=False),
        sa.Column("region_code", TEXT, nullable=False),
        sa.Column("grid_code", TEXT, nullable=False),
        sa.Column("camera_uid", TEXT, nullable=True),
        sa.Column("camera_name", TEXT, nullable=True),
        sa.Column("state", WORD, nullable=False),
        sa.Column("level", WORD, nullable=False),
        sa.Column("category", WORD, nullable=False),
        sa.Column("summary", TEXT, nullable=False),
        sa.Column("first_receiver_id", TEXT, nullable=False),
        sa.Column("owner_id", TEXT, nullable=False),
        sa.Column("handler_id", TEXT, nullable=True),
        sa.Column("checker_id", TEXT, nullable=True),
        sa.Column("rework_count", KEY, nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("deadline", MOMENT, nullable=False),
        sa.Column("closed_at", MOMENT, nullable=True),
        sa.CheckConstraint(
            "(state = 'CLOSED') = (closed_at is not null)", name="ck_incident_closed_at_closed"
        ),
        sa.CheckConstraint(
            "state <> 'CLOSED' or checker_id is not null", name="ck_incident_checked_by_someone"
        ),
        sa.CheckConstraint(
            "state = 'ACCEPTED' or handler_id is not null", name="ck_incident_handled_by_someone"
        ),
        sa.CheckConstraint("checker_id <> handler_id", name="ck_incident_checker_is_another"),
        sa.ForeignKeyConstraint(
            ["checker_id"], ["person.id"], name="fk_incident_checker_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["first_receiver_id"], ["person.id"], name="fk_incident_first_receiver_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["handler_id"], ["person.id"], name="fk_incident_handler_id_person"
        ),
        sa.ForeignKeyConstraint(["owner_id"], ["person.id"], name="fk_incident_owner_id_person"),
        sa.ForeignKeyConstraint(
            ["region_code"], ["region.code"], name="fk_incident_region_code_region"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_incident"),
        sa.UniqueConstraint("serial", name="uq_incident_serial"),
    )
    op.create_index("ix_incident_opened_at", "incident", ["opened_at", "id"])
    op.create_index("ix_incident_state", "incident", ["state"])


def _shift_assignment() -> None:
    op.create_table(
        "shift_assignment",
        sa.Column("shift_id", KEY, nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("post", WORD, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_shift_assignment_person_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["shift_id"],
            ["shift.id"],
            name="fk_shift_assignment_shift_id_shift",
            ondelete="cascade",
        ),
        sa.PrimaryKeyConstraint("shift_id", "person_id", "post", name="pk_shift_assignment"),
    )


def _alert_duty() -> None:
    op.create_table(
        "alert_duty",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("post", WORD, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("phone", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_duty_alert_id_alert"),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_alert_duty_person_id_person"
        ),
        sa.PrimaryKeyConstraint("alert_id", "person_id", "post", name="pk_alert_duty"),
    )


def _alert_ledger() -> None:
    op.create_table(
        "alert_ledger",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
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
            ["actor_id"], ["person.id"], name="fk_alert_ledger_actor_id_person"
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_alert_ledger_alert_id_alert"),
        sa.PrimaryKeyConstraint("position", name="pk_alert_ledger"),
    )
    op.create_index("ix_alert_ledger_alert_id", "alert_ledger", ["alert_id"])


def _evidence_lacking() -> None:
    op.create_table(
        "evidence_lacking",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("said_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name="fk_evidence_lacking_alert_id_alert"
        ),
        sa.PrimaryKeyConstraint("alert_id", "kind", name="pk_evidence_lacking"),
    )


def _evidence() -> None:
    op.create_table(
        "evidence",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("alert_id", sa.Uuid(), nullable=True),
        sa.Column("command_id", sa.Uuid(), nullable=True),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("start", MOMENT, nullable=False),
        sa.Column("end", MOMENT, nullable=False),
        sa.Column("place", WORD, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("size_bytes", KEY, nullable=False),
        sa.Column("sha256", TEXT, nullable=False),
        sa.Column("stored_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_evidence_alert_id_alert"),
        sa.ForeignKeyConstraint(
            ["command_id"], ["box_command.id"], name="fk_evidence_command_id_box_command"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_evidence"),
        sa.UniqueConstraint("alert_id", "kind", name="uq_evidence_alert_id_kind"),
        sa.UniqueConstraint("command_id", "kind", name="uq_evidence_command_id_kind"),
        sa.CheckConstraint(
            "(alert_id is null) <> (command_id is null)", name="ck_evidence_of_one_thing"
        ),
    )


def _example() -> None:
    op.create_table(
        "example",
        sa.Column("id", KEY, nullable=False),
        sa.Column("kind", WORD, nullable=False),
        sa.Column("reason", WORD, nullable=False),
        sa.Column("model", TEXT, nullable=True),
        sa.Column("camera", TEXT, nullable=False),
        sa.Column("day", TEXT, nullable=False),
        sa.Column("path", TEXT, nullable=False),
        sa.Column("size_bytes", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_example"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_example_day", "example", ["day", "id"])


def _example_camera() -> None:
    op.create_table(
        "example_camera",
        sa.Column("camera_uid", TEXT, nullable=False),
        sa.Column("number", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("camera_uid", name="pk_example_camera"),
        sa.UniqueConstraint("number", name="uq_example_camera_number"),
    )


def _example_due() -> None:
    op.create_table(
        "example_due",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name="fk_example_due_alert_id_alert"),
        sa.PrimaryKeyConstraint("alert_id", name="pk_example_due"),
    )


def _example_entry() -> None:
    op.create_table(
        "example_entry",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("act", WORD, nullable=False),
        sa.Column("pictures", KEY, nullable=False),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_example_entry_person_id_person"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_example_entry"),
    )


def _incident_alert() -> None:
    op.create_table(
        "incident_alert",
        sa.Column("alert_id", sa.Uuid(), nullable=False),
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["alert_id"], ["alert.id"], name="fk_incident_alert_alert_id_alert"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_alert_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("alert_id", name="pk_incident_alert"),
    )
    op.create_index("ix_incident_alert_incident_id", "incident_alert", ["incident_id"])


def _incident_handler() -> None:
    op.create_table(
        "incident_handler",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", TEXT, nullable=False),
        sa.Column("since", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_handler_incident_id_incident"
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name="fk_incident_handler_person_id_person"
        ),
        sa.PrimaryKeyConstraint("incident_id", "person_id", name="pk_incident_handler"),
    )


def _incident_ledger() -> None:
    op.create_table(
        "incident_ledger",
        sa.Column("incident_id", sa.Uuid(), nullable=False),
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
            ["actor_id"], ["person.id"], name="fk_incident_ledger_actor_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["incident_id"], ["incident.id"], name="fk_incident_ledger_incident_id_incident"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_incident_ledger"),
    )
    op.create_index("ix_incident_ledger_incident_id", "incident_ledger", ["incident_id"])


def _session() -> None:
    op.create_table(
        "session",
        sa.Column("id_sha256", TEXT, nullable=False),
        sa.Column("username", TEXT, nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("operator_id", TEXT, nullable=True),
        sa.Column("operator_until", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["operator_id"], ["person.id"], name="fk_session_operator_id_person"
        ),
        sa.ForeignKeyConstraint(
            ["username"], ["account.username"], name="fk_session_username_account"
        ),
        sa.PrimaryKeyConstraint("id_sha256", name="pk_session"),
    )
    op.create_index("ix_session_expires_at", "session", ["expires_at"])


def _viewing() -> None:
    op.create_table(
        "viewing",
        sa.Column("id", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("username", TEXT, nullable=False),
        sa.Column("person_id", TEXT, nullable=True),
        sa.Column("box_id", TEXT, nullable=False),
        sa.Column("camera_id", TEXT, nullable=False),
        sa.Column("what", TEXT, nullable=False),
        sa.Column("start", MOMENT, nullable=True),
        sa.Column("end", MOMENT, nullable=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name="fk_viewing_person_id_person"),
        sa.ForeignKeyConstraint(
            ["username"], ["account.username"], name="fk_viewing_username_account"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_viewing"),
    )
    op.create_index("ix_viewing_at", "viewing", ["at"])


TABLES = (
    _feed,
    _feed_floor,
    _consumer_group,
    _quarantine,
    _rate_count,
    _region,
    _box,
    _incident_serial,
    _person,
    _shift,
    _account,
    _activity,
    _activity_ledger,
    _activity_place,
    _alert,
    _box_command,
    _box_event,
    _box_outbox,
    _box_gap,
    _consumer_pulse,
    _camera,
    _grid,
    _incident,
    _shift_assignment,
    _alert_duty,
    _alert_ledger,
    _command_ledger,
    _evidence,
    _evidence_lacking,
    _example,
    _example_camera,
    _example_due,
    _example_entry,
    _incident_alert,
    _incident_handler,
    _incident_ledger,
    _quarantine_ledger,
    _session,
    _viewing,
)

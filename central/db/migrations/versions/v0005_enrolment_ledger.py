"""The ledger of what people did with the cameras of boxes."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLE = "enrolment_ledger"
_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, and what keeps its rows as they are."""
    op.create_table(
        _TABLE,
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("position", _KEY, autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("device", sa.Text(), nullable=True),
        sa.Column("from_state", sa.Text(), nullable=True),
        sa.Column("to_state", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["person.id"], name="fk_enrolment_ledger_actor_id_person"
        ),
        sa.PrimaryKeyConstraint("position", name="pk_enrolment_ledger"),
    )
    op.create_index("ix_enrolment_ledger_subject", _TABLE, ["subject"])
    if op.get_bind().dialect.name == "sqlite":
        for act in ("update", "delete"):
            op.execute(
                f"create trigger {_TABLE}_no_{act} before {act} on {_TABLE} "
                f"begin select raise(abort, '{_TABLE} is append-only'); end"
            )
        return
    op.execute(
        f"create trigger {_TABLE}_no_change before update or delete on {_TABLE} "
        "for each row execute function tanshao_append_only()"
    )
    op.execute(
        f"create trigger {_TABLE}_no_truncate before truncate on {_TABLE} "
        "for each statement execute function tanshao_append_only()"
    )

"""How far a camera's clock is off, by its box."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns; what is not known of cameras of before, their boxes will say."""
    op.add_column("camera", sa.Column("clock_state", sa.String(length=24), nullable=True))
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("camera", sa.Column("clock_offset_ms", number, nullable=True))

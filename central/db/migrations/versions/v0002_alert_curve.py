"""An alert's curve: how many people there were while it was open."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; alerts of before have none."""
    document = sa.JSON().with_variant(JSONB(), "postgresql")
    op.add_column("alert", sa.Column("curve", document, nullable=True))

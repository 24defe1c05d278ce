"""A subscription's own ladder, and the level that it is told of escalations at."""

from services.plumbing.migrations import run_sql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table subscription add column ladder jsonb;
alter table subscription add column level text;
"""
    )


def downgrade() -> None:
    run_sql(
        """
alter table subscription drop column level;
alter table subscription drop column ladder;
"""
    )

"""Reminders of one subscription's own ladder stand on a topic of their own: feeds never meet them."""

from services.plumbing.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
delete from feed_event where not everybodys;
alter table feed_event drop column everybodys;
"""
    )


def downgrade() -> None:
    run_sql(
        """
alter table feed_event add column everybodys boolean not null default true;
alter table feed_event alter column everybodys drop default;
comment on column feed_event.everybodys is 'false for a reminder of one subscription''s own ladder';
"""
    )

"""What set an event off is kept with it: those with the same cause belong together."""

from services.plumbing.migrations import run_sql

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table event add column cause_id uuid, add column cause_kind text, add column cause_count integer;
comment on column event.cause_id is 'of all events that belong together; null for events from before';
comment on column event.cause_count is 'how many events have this cause, where that is known; over all topics';
"""
    )


def downgrade() -> None:
    run_sql("alter table event drop column cause_id, drop column cause_kind, drop column cause_count")

"""Ladders as data, and those that subscriptions chose."""

from services.plumbing.migrations import run_sql

revision = "0002"
down_revision = "0001"

LADDERS = """
alter table reminder add column audience uuid;
alter table reminder drop constraint reminder_milestone_id_schedule_version_step_key;
alter table reminder add constraint reminder_key
    unique nulls not distinct (milestone_id, schedule_version, step, audience);
comment on column reminder.audience is 'the subscription whose own ladder asks for it; null for all without one';
"""


def upgrade() -> None:
    """Make them."""
    run_sql(LADDERS)


def downgrade() -> None:
    """Drop them, and the reminders of those ladders."""
    run_sql(
        """
        delete from reminder where audience is not null;
        alter table reminder drop constraint reminder_key;
        alter table reminder drop column audience;
        alter table reminder add constraint reminder_milestone_id_schedule_version_step_key
            unique (milestone_id, schedule_version, step);
        """
    )

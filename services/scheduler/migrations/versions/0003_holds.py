"""Schedules that are about to be replaced: nothing of the version before them is told any more."""

from services.plumbing.migrations import run_sql

revision = "0003"
down_revision = "0002"

HOLDS = """
create table hold (
    milestone_id text primary key,
    schedule_version integer not null,
    held_at timestamptz not null default clock_timestamp()
);
comment on column hold.schedule_version is 'what is being written elsewhere: reminders of less are not told';
comment on column hold.held_at is 'by the clock of the database; changes whenever the milestone is held again';
comment on column tick.ticked_at is 'when the clock was looked at for it, by the clock of the database';
"""


def upgrade() -> None:
    """Make the table."""
    run_sql(HOLDS)


def downgrade() -> None:
    """Drop it; what was held is told again."""
    run_sql(
        """
        drop table hold;
        comment on column tick.ticked_at is 'when that was, by the clock of the database';
        """
    )

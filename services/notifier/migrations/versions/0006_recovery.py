"""How far the database and the topics agree, and what was taken over after an old backup."""

from services.plumbing.migrations import run_sql
from services.plumbing.recovery.tables import RECOVERY_V1, RECOVERY_V1_DOWN

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


SETTLED_BEFORE = """
create table settled_before (
    event_id uuid not null,
    subscription_id uuid not null,
    state text not null check (state in ('delivered', 'failed', 'expired', 'suppressed', 'cancelled')),
    attempts integer not null,
    reason text,
    settled_at timestamptz not null,
    primary key (event_id, subscription_id)
);
comment on table settled_before is 'deliveries that had ended before an old backup was restored, by delivery-settled';
"""


def upgrade() -> None:
    run_sql(RECOVERY_V1)
    run_sql(SETTLED_BEFORE)


def downgrade() -> None:
    run_sql("drop table settled_before")
    run_sql(RECOVERY_V1_DOWN)

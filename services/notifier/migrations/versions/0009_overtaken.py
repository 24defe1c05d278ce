"""What overtakes what: indexes to find newer news of the same, and what was not told because of it.

What was written before there was an order is marked where it waits behind something older.
"""

from services.plumbing.migrations import run_sql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
create index event_by_collapse_key on event (commitment_id, topic, collapse_key, seq) where collapse_key is not null;
create index delivery_overtaken on delivery (thread, position) where reason = 'overtaken';
update delivery d set behind = true
where state = 'pending' and not behind and exists (
    select from delivery o
    where o.thread = d.thread and o.position < d.position and o.state in ('pending', 'sending')
);
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop index delivery_overtaken;
drop index event_by_collapse_key;
"""
    )

"""A thread is written with its delivery, not worked out anew by the table: its fan-out knows it."""

from services.plumbing.ids import UUID8_V1
from services.plumbing.migrations import run_sql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(UUID8_V1)
    run_sql("alter table delivery alter column thread drop expression;\n")


def downgrade() -> None:
    run_sql(
        """
drop function uuid8;
alter table delivery drop column thread;
alter table delivery add column thread uuid not null generated always as (
    derived_id('0b8a8f6e-3d1c-8e27-b4f0-61c1d2a95e73', uuid_send(subscription_id) || commitment_id::bytea)
) stored;
create index delivery_unsettled on delivery (thread, position) where state in ('pending', 'sending');
create index delivery_behind on delivery (thread, position) where state = 'pending' and behind;
create index delivery_overtaken on delivery (thread, position) where reason = 'overtaken';
"""
    )

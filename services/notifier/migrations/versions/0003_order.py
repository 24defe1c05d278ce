"""The order of deliveries: positions, threads, destinations; ids say what a delivery is about and carry no order."""

from services.plumbing.migrations import run_sql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

DERIVED_ID = """
create function derived_id(namespace uuid, name bytea) returns uuid
language sql immutable parallel safe
return encode(
    set_byte(
        set_byte(
            substring(sha256(uuid_send(namespace) || name) from 1 for 16),
            6, get_byte(sha256(uuid_send(namespace) || name), 6) & 15 | 128
        ),
        8, get_byte(sha256(uuid_send(namespace) || name), 8) & 63 | 128
    ),
    'hex'
)::uuid;
"""


def upgrade() -> None:
    run_sql(DERIVED_ID)
    run_sql(
        """
alter table subscription add column destination bytea;
alter table event add column collapse_key text;
alter table delivery
    add column position bigint,
    add column thread uuid not null generated always as (
        derived_id('0b8a8f6e-3d1c-8e27-b4f0-61c1d2a95e73', uuid_send(subscription_id) || commitment_id::bytea)
    ) stored,
    add column destination bytea,
    add column behind boolean not null default false;
update delivery d set position = o.position
from (select id, row_number() over (order by created_at, id) as position from delivery) o where o.id = d.id;
alter table delivery
    alter column position set not null,
    alter column position add generated always as identity;
select setval(pg_get_serial_sequence('delivery', 'position'), coalesce(max(position), 0) + 1, false) from delivery;
create unique index delivery_by_position on delivery (position);
create index delivery_unsettled on delivery (thread, position) where state in ('pending', 'sending');
drop index delivery_due;
create index delivery_due on delivery (next_at, position) where state = 'pending' and not behind;
drop index delivery_of_subscription;
create index delivery_of_subscription on delivery (subscription_id, position);
drop index delivery_given_up;
create index delivery_given_up on delivery (position) where state in ('failed', 'expired', 'suppressed', 'cancelled');
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop index delivery_given_up;
create index delivery_given_up on delivery (id) where state in ('failed', 'expired', 'suppressed', 'cancelled');
drop index delivery_of_subscription;
create index delivery_of_subscription on delivery (subscription_id, id);
drop index delivery_due;
create index delivery_due on delivery (next_at, id) where state = 'pending';
drop index delivery_unsettled;
drop index delivery_by_position;
alter table delivery drop column behind, drop column destination, drop column thread, drop column position;
alter table event drop column collapse_key;
alter table subscription drop column destination;
drop function derived_id;
"""
    )

"""What goes out together: rows of one receiver in a group, the message that told them, and the rule that says when.

Rows that go out by themselves are in none of the new indexes. A process of the last release that runs beside sends what
it claims one by one, as ever.
"""

from services.plumbing.migrations import run_sql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
alter table delivery
    add column group_id uuid,
    add column leads boolean not null default true,
    add column message uuid,
    add column rule text;
comment on column delivery.group_id is 'rows of one receiver with the same go out together; once claimed it is the id '
    'of the leading row';
comment on column delivery.leads is 'only the leading row of a group is met by claims, the others follow it';
comment on column delivery.message is 'the leading row in whose message it was told, or was to be; null for its own';
comment on column delivery.rule is 'which rule decided when it is told; null for at once';
create index delivery_grouped on delivery (group_id, leads) where state = 'pending' and group_id is not null;
create index delivery_of_message on delivery (message) where message is not null;
alter table settled_before add column message uuid;
drop index delivery_due;
create index delivery_due on delivery (next_at, position)
    where state = 'pending' and not behind and not paced and leads;
drop index delivery_paced;
create index delivery_paced on delivery (destination, (deferred_since is null), next_at, position)
    where state = 'pending' and not behind and paced and leads;
drop index delivery_paced_due;
create index delivery_paced_due on delivery (next_at, position)
    where state = 'pending' and not behind and paced and leads;
"""
    )


def downgrade() -> None:
    run_sql(
        """
drop index delivery_paced_due;
create index delivery_paced_due on delivery (next_at, position) where state = 'pending' and not behind and paced;
drop index delivery_paced;
create index delivery_paced on delivery (destination, (deferred_since is null), next_at, position)
    where state = 'pending' and not behind and paced;
drop index delivery_due;
create index delivery_due on delivery (next_at, position) where state = 'pending' and not behind and not paced;
alter table settled_before drop column message;
drop index delivery_of_message;
drop index delivery_grouped;
alter table delivery drop column rule, drop column message, drop column leads, drop column group_id;
"""
    )

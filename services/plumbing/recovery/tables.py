"""The tables that tell how far this database and the topics agree."""

RECOVERY_V1 = """
alter table outbox
    add column at_partition integer,
    add column at_offset bigint;
comment on column outbox.at_offset is 'where it lies on its topic; with a partition and no offset it was lost there';
create index outbox_missing on outbox (topic, at_partition)
    where published_at is not null and at_partition is not null and at_offset is null;
alter table outbox_lease add column compared boolean not null default false;
comment on column outbox_lease.compared is 'the holder has compared the outbox with the topics since it has the lease';
create table topic_position (
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (topic, partition)
);
comment on table topic_position is 'this database knows all records of its own topics below these offsets';
create table consumed_position (
    consumer text not null,
    topic text not null,
    partition integer not null,
    next_offset bigint not null,
    primary key (consumer, topic, partition)
);
comment on table consumed_position is 'the effects of all records below these offsets are in this database';
create table recovery (
    id bigint generated always as identity primary key,
    detected_at timestamptz not null default clock_timestamp(),
    taken_over jsonb not null default '{}',
    remarks text[] not null default '{}',
    held bigint not null default 0,
    released_at timestamptz,
    released_by text
);
create unique index recovery_open on recovery ((released_at is null)) where released_at is null;
comment on table recovery is 'whenever this database was older than its topics; nothing is sent until released';
comment on column recovery.taken_over is 'how many events of each topic';
comment on column recovery.held is 'how many wait for the release, when that was counted last';
comment on column recovery.remarks is 'what could not be taken over';
"""
"""First version, on top of the outbox's; a service's migration runs it in its own schema."""

RECOVERY_V1_DOWN = """
drop table recovery, consumed_position, topic_position;
alter table outbox_lease drop column compared;
drop index outbox_missing;
alter table outbox drop column at_partition, drop column at_offset;
"""

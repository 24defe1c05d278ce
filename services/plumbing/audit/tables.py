"""The tables of a service's audit log."""

AUDIT_V1 = """
create table audit_pending (
    id bigint generated always as identity primary key,
    at timestamptz not null,
    action text not null,
    subject text not null,
    client text not null,
    ministry text,
    key_id text,
    before text,
    after text
);
comment on table audit_pending is 'written with the change itself; moves into audit_entry within a second';
create table audit_entry (
    position bigint primary key check (position > 0),
    at timestamptz not null,
    action text not null,
    subject text not null,
    client text not null,
    ministry text,
    key_id text,
    before text,
    after text,
    previous bytea not null,
    hash bytea not null
);
comment on table audit_entry is 'the audit log: positions have no gap, and each hash covers the one before it';
comment on column audit_entry.before is 'canonical JSON (RFC 8785), which the hash covers as it stands here';
create index audit_entry_subject on audit_entry (subject, position);
create index audit_entry_client on audit_entry (client, position);
create index audit_entry_at on audit_entry (at);
create function audit_entry_only_grows() returns trigger language plpgsql
as $$ begin raise exception 'the audit log only grows'; end $$;
create trigger audit_entry_only_grows before update or delete or truncate on audit_entry
    for each statement execute function audit_entry_only_grows();
create table audit_head (
    one boolean primary key default true check (one),
    position bigint not null default 0,
    published_at timestamptz not null default '-infinity'
);
comment on table audit_head is 'the newest head that was published, by the clock of the database';
insert into audit_head default values;
create table audit_refusal (
    client text not null,
    what text not null,
    hour timestamptz not null,
    count bigint not null default 1,
    primary key (client, what, hour)
);
comment on table audit_refusal is 'how often a client was refused the same, so that the log tells it by powers of ten';
"""
"""First version; a service's migration runs it in its own schema."""

AUDIT_V1_DOWN = """
drop table audit_refusal, audit_head, audit_entry, audit_pending;
drop function audit_entry_only_grows();
"""

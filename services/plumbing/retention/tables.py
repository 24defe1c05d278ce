"""The tables of pruning: sums of what is gone, so that what is counted over all rows still can be, and a turn."""

PRUNED_V1 = """
create table pruned (
    name text not null,
    kind text not null,
    part text not null default '',
    rows bigint not null,
    amount bigint not null default 0,
    through bigint not null default 0,
    checksum numeric not null,
    primary key (name, kind, part)
) with (fillfactor = 70);
comment on table pruned is 'what was deleted for its age, written in the transaction that deletes';
comment on column pruned.name is 'the table; kind and part say which of its rows: outbox by topic and key';
comment on column pruned.amount is 'the sum of what such rows count: subscriptions met, deliveries told';
comment on column pruned.through is 'the highest seq of the pruned records; those below it were pruned too';
comment on column pruned.checksum is 'the sum of the last eight bytes of their ids, as signed numbers';
create table pruning_turn (
    one boolean primary key default true check (one),
    until timestamptz not null default '-infinity'
) with (fillfactor = 70);
insert into pruning_turn default values;
comment on column pruning_turn.until is 'after a step the whole service rests, by the clock of the database';
"""
"""First version; a service's migration runs it in its own schema."""

PRUNED_V1_DOWN = "drop table pruned, pruning_turn"

"""Who is bound are parties, of whom some are organisations: what was called a country is called a party.

Ministries are rows: who reports, for whom, and what they are called.
"""

from services.plumbing.migrations import run_sql

revision = "0005"
down_revision = "0004"

PARTIES = """
alter table statement rename column countries to parties;
alter table statement add column organisations jsonb not null default '[]';
comment on column statement.organisations is 'what is to be known of each party that is no country';
alter table commitment rename column countries to parties;
alter table milestone rename column countries to parties;
alter table status_update rename column country to party;
alter table commitment_country_status rename to commitment_party_status;
alter table commitment_party_status rename column country to party;
comment on table commitment_party_status is 'a row for each bound party while they differ, none while they agree';
"""
MINISTRIES = """
create table ministry (
    code text primary key,
    party text not null,
    name jsonb not null,
    contact text,
    created_at timestamptz not null,
    created_by text not null,
    changed_at timestamptz not null
);
comment on column ministry.code is 'its topics are named after it, and never after another';
comment on column ministry.contact is 'a mail address or a page, for people';
"""
COUNTRIES = """
comment on table commitment_party_status is 'a row for each bound country while they differ, none while they agree';
alter table commitment_party_status rename column party to country;
alter table commitment_party_status rename to commitment_country_status;
alter table status_update rename column party to country;
alter table milestone rename column parties to countries;
alter table commitment rename column parties to countries;
alter table statement drop column organisations;
alter table statement rename column parties to countries;
"""


def upgrade() -> None:
    run_sql(PARTIES)
    run_sql(MINISTRIES)


def downgrade() -> None:
    run_sql("drop table ministry")
    run_sql(COUNTRIES)

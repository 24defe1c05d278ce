"""A status update speaks for one party, and says since when it is so; assessors have views of their own beside.

No release wrote updates of a commitment as a whole: where there are some, of before, each party gets its own.
"""

from services.plumbing.migrations import run_sql

revision = "0008"
down_revision = "0007"

OF_EACH_PARTY = """
alter table status_update disable trigger append_only;
alter table status_update drop constraint status_update_commitment_id_version_key;
insert into status_update (event_id, commitment_id, version, party, from_status, to_status, overall, note, evidence,
                           client, ministry, report_id, reported_at, recorded_at)
select md5(u.event_id::text || c.parties[n])::uuid, u.commitment_id, u.version, c.parties[n], u.from_status,
       u.to_status, u.overall, u.note, u.evidence, u.client, u.ministry, null, u.reported_at, u.recorded_at
from status_update u join commitment c on c.id = u.commitment_id
cross join generate_series(2, cardinality(c.parties)) as n
where u.party is null;
update status_update u set party = c.parties[1] from commitment c where c.id = u.commitment_id and u.party is null;
alter table status_update alter column party set not null;
alter table status_update add unique (commitment_id, version, party);
alter table status_update add column occurred_at timestamptz;
update status_update set occurred_at = reported_at;
alter table status_update alter column occurred_at set not null;
alter table status_update add column is_current boolean not null default true;
alter table status_update alter column is_current drop default;
comment on column status_update.is_current is 'whether it was the newest word on its party when it was recorded';
comment on column status_update.occurred_at is 'since when it is so';
create index status_update_said on status_update (commitment_id, party, reported_at desc, version desc);
alter table status_update enable trigger append_only;
"""
ASSESSMENTS = """
create table assessment (
    event_id uuid primary key,
    commitment_id text not null references commitment,
    number integer not null,
    client text not null,
    organisation text not null,
    party text,
    previous text,
    assessment text not null,
    note text,
    evidence jsonb,
    assessed_at timestamptz not null,
    recorded_at timestamptz not null
);
create index assessment_of on assessment (commitment_id, recorded_at, number);
comment on table assessment is 'views of independent assessors; no status is reckoned from them';
comment on column assessment.party is 'whom the view is of; null for the commitment as a whole';
create trigger append_only before update or delete or truncate on assessment
    for each statement execute function refuse_change();
"""
BACK = """
drop table assessment;
alter table status_update disable trigger append_only;
drop index status_update_said;
alter table status_update drop column is_current;
alter table status_update drop column occurred_at;
delete from status_update u using status_update o
    where o.commitment_id = u.commitment_id and o.version = u.version and o.party < u.party;
alter table status_update drop constraint status_update_commitment_id_version_party_key;
alter table status_update alter column party drop not null;
alter table status_update add unique (commitment_id, version);
alter table status_update enable trigger append_only;
"""


def upgrade() -> None:
    run_sql(OF_EACH_PARTY)
    run_sql(ASSESSMENTS)


def downgrade() -> None:
    run_sql(BACK)

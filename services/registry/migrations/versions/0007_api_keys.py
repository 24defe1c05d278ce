"""API keys: the registry owns them, and tells the other services their hashes."""

from services.plumbing.migrations import run_sql

revision = "0007"
down_revision = "0006"

KEYS = """
create table api_key (
    key_id text primary key,
    seq integer not null,
    sha256 text not null,
    client text not null,
    ministry text,
    roles text[] not null,
    created_at timestamptz not null,
    created_by text not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    revoked_by text,
    last_used_at timestamptz
);
create index api_key_client on api_key (client);
comment on table api_key is 'moments are the machine''s: keys guard against people, who know no business time';
"""


def upgrade() -> None:
    run_sql(KEYS)


def downgrade() -> None:
    run_sql("drop table api_key;")

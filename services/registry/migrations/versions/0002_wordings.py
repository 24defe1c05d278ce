"""How a statement's time expressions are read: in which language, and by which policy."""

from services.plumbing.migrations import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    run_sql(
        """
        alter table statement
            add column language text not null default 'en',
            add column reading_policy jsonb not null default '{}';
        comment on column statement.reading_policy is 'what differs from the default policy, or all of it';
        """
    )


def downgrade() -> None:
    run_sql("alter table statement drop column language, drop column reading_policy")

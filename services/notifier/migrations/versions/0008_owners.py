"""The same subscription once for each owner: whether somebody else has it is nobody's business."""

from services.plumbing.migrations import run_sql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run_sql(
        """
drop index subscription_once;
create unique index subscription_once on subscription (owner, fingerprint) where state <> 'ended';
"""
    )


def downgrade() -> None:
    # Of equal ones the older keeps its fingerprint; the others go on under one that nothing else has.
    run_sql(
        """
update subscription s set fingerprint = sha256(s.fingerprint || convert_to(s.owner, 'UTF8'))
where s.state <> 'ended' and exists (
    select from subscription o where o.fingerprint = s.fingerprint and o.state <> 'ended' and o.id < s.id
);
drop index subscription_once;
create unique index subscription_once on subscription (fingerprint) where state <> 'ended';
"""
    )

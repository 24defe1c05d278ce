"""How long the scheduler keeps what, and what it prunes."""

from collections.abc import Sequence

from contracts.topics import OWN
from services.plumbing.retention.outbox_rows import PublishedRows, outbox_policy
from services.plumbing.retention.policy import KeptRows, RetentionSettings, periods
from services.plumbing.retention.pruner import Prunable

POLICY: Sequence[KeptRows] = outbox_policy(
    (topic.name, gone)
    for topic in OWN
    if "scheduler" in topic.writers and not topic.is_compacted and (gone := topic.forgotten_after) is not None
)
"""What isn't here is kept for ever: reminders, by which nothing is told twice, escalations and who is on it, the inbox
of topics that are kept for ever, the audit log. What feeds show they let go of by themselves."""


def prunable(settings: RetentionSettings) -> list[Prunable]:
    """What is pruned by these settings; raises `ValidationError` for less than the least."""
    return [PublishedRows(periods(POLICY, settings), {}, until="select outbox_id from feed_place")]

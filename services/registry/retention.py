"""How long the registry keeps what, and what it prunes: the register itself, never."""

from collections.abc import Sequence
from datetime import timedelta

from contracts.topics import OWN, STATUS_REJECTED
from services.plumbing.retention.outbox_rows import PublishedRows, outbox_policy
from services.plumbing.retention.policy import KeptRows, RetentionSettings, periods
from services.plumbing.retention.pruner import Prunable

_REJECTED = STATUS_REJECTED.family or STATUS_REJECTED.name
"""One topic for each ministry, all of which are kept alike."""

POLICY: Sequence[KeptRows] = outbox_policy(
    [
        *(
            (topic.name, gone)
            for topic in OWN
            if "registry" in topic.writers and not topic.is_compacted and (gone := topic.forgotten_after) is not None
        ),
        (_REJECTED, STATUS_REJECTED.forgotten_after or timedelta.max),
    ]
)
"""What isn't here is kept for ever: what governments promise and what became of it, the reports that were heard, the
records of topics that are kept for ever, the audit log. Answers to requests are let go of by themselves."""


def prunable(settings: RetentionSettings) -> list[Prunable]:
    """What is pruned by these settings; raises `ValidationError` for less than the least."""
    kept = {f"{name}-" if name == _REJECTED else name: period for name, period in periods(POLICY, settings).items()}
    return [PublishedRows(kept, {})]

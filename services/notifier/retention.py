"""How long the notifier keeps what, and what it prunes."""

from collections.abc import Sequence

from contracts.topics import BY_NAME, DELIVERY_SETTLED, OWN
from services.notifier.delivery.intake import TOPICS
from services.notifier.delivery.pruning import OldDeliveries, OldEvents, OldRows
from services.notifier.subscriptions.forgetting import EndedSubscriptions
from services.plumbing.retention.outbox_rows import PublishedRows, outbox_policy
from services.plumbing.retention.policy import KeptRows, RetentionSettings, periods
from services.plumbing.retention.pruner import Prunable

_DELIVERY = KeptRows(
    "delivery",
    "deliveries with their attempts, from when they ended",
    days=400,
    least=38,
    why="what ended is told on a topic for so long, and a restored backup is compared with it",
)
_ENDED = KeptRows(
    "ended-subscription",
    "address and signing secret of a subscription, from when it ended",
    days=30,
    least=0,
    why="days can't be fewer than none",
)
_DIGEST_RUN = KeptRows(
    "digest_run", "which digests were opened, from when they were due", days=60, least=8, why="one may wait for a week"
)
_SHARED_CHANGE = KeptRows(
    "shared_change",
    "changes that a channel was told of, from when they were made",
    days=60,
    least=31,
    why="they can be put back by a link that is good for 30 days",
)
_SILENCE = KeptRows(
    "silence", "silences, from when they ended", days=400, least=1, why="they explain why something came late"
)
_EVENTS = {name: gone for name in TOPICS if name in BY_NAME and (gone := BY_NAME[name].forgotten_after) is not None}
_EVENT = [
    KeptRows(
        name,
        "events, from when they were heard; each at least as long as its deliveries",
        days=one.days,
        least=one.least,
        why=one.why,
    )
    for name, one in zip(_EVENTS, outbox_policy(_EVENTS.items()), strict=True)
]
_OUTBOX = outbox_policy(
    (topic.name, gone)
    for topic in OWN
    if "notifier" in topic.writers and not topic.is_compacted and (gone := topic.forgotten_after) is not None
)
POLICY: Sequence[KeptRows] = (_DELIVERY, _ENDED, *_OUTBOX, *_EVENT, _DIGEST_RUN, _SHARED_CHANGE, _SILENCE)
"""What isn't here is kept for ever: subscriptions without their addresses, the audit log, events of topics that are."""


def prunable(settings: RetentionSettings) -> list[Prunable]:
    """What is pruned by these settings; raises `ValidationError` for less than the least."""
    kept = periods(POLICY, settings)
    tables: list[Prunable] = []
    if _DELIVERY.name in kept:
        tables.append(OldDeliveries(kept[_DELIVERY.name]))
    tables.append(OldEvents({name: kept[name] for name in _EVENTS if name in kept}))
    tables.append(
        PublishedRows(
            {one.name: kept[one.name] for one in _OUTBOX if one.name in kept}, {DELIVERY_SETTLED.name: "deliveries"}
        )
    )
    if _ENDED.name in kept:
        tables.append(EndedSubscriptions(kept[_ENDED.name]))
    for one, key, condition in (
        (_DIGEST_RUN, "subscription_id, run_at", "run_at < $1"),
        (_SHARED_CHANGE, "id", "state <> 'waiting' and at < $1"),
        (_SILENCE, "id", "least(ends, ended_at) < $1"),
    ):
        if one.name in kept:
            tables.append(OldRows(kept[one.name], one.name, key, condition))
    return tables

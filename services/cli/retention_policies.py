"""How long each service keeps what, all services together."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from services.plumbing.retention.policy import KeptRows, RetentionSettings


def retention_policies() -> "Mapping[str, Sequence[KeptRows]]":
    """The policies, by service."""
    from services.notifier.retention import POLICY as NOTIFIER
    from services.registry.retention import POLICY as REGISTRY
    from services.scheduler.retention import POLICY as SCHEDULER

    return {"registry": REGISTRY, "scheduler": SCHEDULER, "notifier": NOTIFIER}


def check_days(settings: "RetentionSettings") -> None:
    """Raise `ValueError` for days of what nothing is called, and for fewer than the least."""
    from pydantic import ValidationError

    from services.plumbing.retention.policy import periods

    policies = retention_policies().values()
    known = {one.name for policy in policies for one in policy}
    if strange := sorted(settings.days.keys() - known):
        raise ValueError(f"nothing is called {', '.join(strange)}; write one of {', '.join(sorted(known))}")
    for policy in policies:
        try:
            periods(policy, settings)
        except ValidationError as error:
            raise ValueError(error.errors()[0]["msg"]) from None

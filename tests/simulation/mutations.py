"""Rules broken on purpose: a simulation that does not find them proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import ModuleType
from typing import Any

from services.notifier.delivery import claims, dispatch, recorder, results

Mutation = Callable[[], AbstractContextManager[None]]


@contextmanager
def _put(module: ModuleType, name: str, value: Any) -> Iterator[None]:
    kept = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, kept)


def _without(module: ModuleType, name: str, old: str, new: str = "") -> Mutation:
    """A statement in which a part is another."""

    def mutation() -> AbstractContextManager[None]:
        statement: str = getattr(module, name)
        if old not in statement:
            raise ValueError(f"{name} of {module.__name__} no longer holds {old!r}; write the mutation anew")
        return _put(module, name, statement.replace(old, new))

    return mutation


def _a_result_is_dropped() -> AbstractContextManager[None]:
    report, count = recorder.ResultRecorder.report, iter(range(10**9))

    def forgetful(self: Any, result: Any) -> None:
        if next(count) % 7 != 6:
            report(self, result)

    return _put(recorder.ResultRecorder, "report", forgetful)  # type: ignore[arg-type]


def _ends_are_not_looked_at() -> AbstractContextManager[None]:
    return _put(dispatch, "end_unsent", lambda delivery, now: None)


MUTATIONS: Mapping[str, Mutation] = {
    "none": nullcontext,
    "a-result-is-dropped": _a_result_is_dropped,
    "a-lost-lease-may-record": _without(results, "SETTLE", "and d.lease = r.lease"),
    "leases-run-out-at-once": _without(claims, "SWEEP", "lease_until < clock_timestamp()", "true"),
    "what-ended-is-sent": _ends_are_not_looked_at,
}

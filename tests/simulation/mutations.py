"""Rules broken on purpose: a simulation that does not find them proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from types import ModuleType
from typing import Any

from services.notifier.delivery import claims, deliveries, fan_out, lanes, recorder, results, turns
from services.notifier.delivery.lane import Lane

Mutation = Callable[[], AbstractContextManager[None]]


@contextmanager
def _put(module: Any, name: str, value: Any) -> Iterator[None]:
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


def _all(*mutations: Mutation) -> Mutation:
    @contextmanager
    def mutation() -> Iterator[None]:
        with ExitStack() as stack:
            for each in mutations:
                stack.enter_context(each())
            yield

    return mutation


def _a_result_is_dropped() -> AbstractContextManager[None]:
    report, count = recorder.ResultRecorder.report, iter(range(10**9))

    def forgetful(self: Any, result: Any, **named: Any) -> None:
        if next(count) % 7 != 6:
            report(self, result, **named)

    return _put(recorder.ResultRecorder, "report", forgetful)


def _ends_are_not_looked_at() -> AbstractContextManager[None]:
    return _put(deliveries, "end_unsent", lambda delivery, now: None)


def _what_follows_a_failure_stays() -> AbstractContextManager[None]:
    done = lanes.Lanes.done

    def mutated(self: Any, delivery: Any, outcome: Any, now: float, *, is_settled: bool) -> Any:
        back = done(self, delivery, outcome, now, is_settled=True)
        self._lanes.get(lanes._key(delivery), Lane("", 0, 0)).threads.pop(delivery.thread, None)
        return back

    return _put(lanes.Lanes, "done", mutated)


def _the_next_starts_unrecorded() -> AbstractContextManager[None]:
    done = lanes.Lanes.done

    def mutated(self: Any, delivery: Any, outcome: Any, now: float, *, is_settled: bool) -> Any:
        back = done(self, delivery, outcome, now, is_settled=is_settled)
        self.recorded(delivery, is_ours=True)
        return back

    return _put(lanes.Lanes, "done", mutated)


_NOTHING = "select $1::text[]"

MUTATIONS: Mapping[str, Mutation] = {
    "none": nullcontext,
    "a-result-is-dropped": _a_result_is_dropped,
    "a-lost-lease-may-record": _without(results, "SETTLE", "and d.lease = r.lease"),
    "a-lease-is-ignored": _without(claims, "SWEEP", "lease_until < clock_timestamp()", "true"),
    "what-has-ended-is-sent": _ends_are_not_looked_at,
    "claims-know-no-thread": _all(
        _without(claims, "CLAIM", f"and not ({turns.is_behind('d.thread', 'd.position')})"),
        _without(claims, "CLAIM", "and not behind"),
    ),
    "the-fan-out-knows-no-thread": _without(fan_out, "FAN_OUT", "not waits and "),
    "writers-take-no-turn": lambda: _put(fan_out, "WRITE_IN_TURN", _NOTHING),
    "what-follows-a-failure-stays": _what_follows_a_failure_stays,
    "the-next-starts-unrecorded": _the_next_starts_unrecorded,
    "nobody-promotes": _all(
        _without(turns, "PROMOTE", "set behind = false", "set behind = behind"),
        _without(turns, "PROMOTE_STUCK", "set behind = false", "set behind = behind"),
    ),
}

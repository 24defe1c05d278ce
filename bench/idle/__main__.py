"""Starts, rests, measures and prints what came of it."""

import argparse
import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2

from bench.delivery.events import SECRET
from bench.processes import Meter, memory
from services.cli.fleet import PROJECT, SERVICES, free_port
from services.cli.keys import ApiClient
from services.cli.running_stack import RunningStack, StackOptions, running_stack

MOST_CPU, MOST_MIB = 3.0, 700.0
"""Percent of one core, and MiB, that all of it may take."""
COMMITMENT, PARTY = "nals-2021-develop-smes", "US"


@dataclass(frozen=True)
class Rest:
    """What each part took while nothing happened: percent of one core, and MiB."""

    cpu: dict[str, float]
    mib: dict[str, float]

    def __str__(self) -> str:
        lines = [f"{name:<10} {self.cpu[name]:5.2f} %  {self.mib[name]:6.1f} MiB" for name in self.cpu]
        lines.append(f"{'in all':<10} {sum(self.cpu.values()):5.2f} %  {sum(self.mib.values()):6.1f} MiB")
        lines.append(f"{'at most':<10} {MOST_CPU:5.2f} %  {MOST_MIB:6.1f} MiB")
        return "\n".join(lines)


class Receiver:
    """Who is told, and notes when."""

    def __init__(self, http: httpx2.Client) -> None:
        self.port = free_port()
        self._http = http
        self._process = subprocess.Popen([sys.executable, "-m", "bench.delivery.sink", str(self.port)], cwd=PROJECT)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/told"

    def wait(self, before: int, seconds: float = 30.0) -> float:
        """When the next arrival came, in seconds of Unix time, where there had been so many before."""
        end = time.monotonic() + seconds
        while len(arrivals := self.arrivals()) <= before:
            if time.monotonic() > end:
                raise SystemExit(f"nothing was delivered within {seconds:.0f} s")
            time.sleep(0.02)
        return arrivals[before]

    def arrivals(self) -> list[float]:
        try:
            lines = self._http.get(f"http://127.0.0.1:{self.port}/arrivals").text.splitlines()
        except httpx2.TransportError:
            return []  # it is only just starting
        return sorted(float(line.split()[-1]) for line in lines)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


class IdleStack:
    """A running whole, without the inbox, as it is on a ministry's machine."""

    def __init__(self, stack: RunningStack, http: httpx2.Client) -> None:
        self._stack, self._http = stack, http
        self._statuses = itertools.cycle(("in-progress", "at-risk"))
        stack.fleet.stop("inbox")

    @property
    def pids(self) -> dict[str, int]:
        own = {name: pid for name, pid in self._stack.fleet.pids().items() if name in SERVICES}
        return own | (self._stack.parts.processes() if self._stack.parts else {})

    def fill(self, receiver: Receiver) -> None:
        """Bring in the statement, then let the receiver hear of every change."""
        self._post("registry", "/statements/import", {"catalogue": "nals-2021"})
        heard = {"filters": {"events": ["status-changed"]}, "language": "en", "zone": "UTC"}
        where = {"channel": "webhook", "address": receiver.url, "secret": SECRET}
        self._post("notifier", "/subscriptions", {"subscriber": "bench", **where, **heard})

    def rest(self, seconds: float) -> Rest:
        pids = self.pids
        meter = Meter(pids)
        time.sleep(seconds)
        spent, took = meter.spent(), meter.seconds
        return Rest({name: cpu / took * 100 for name, cpu in spent.items()}, memory(pids))

    def tell(self, receiver: Receiver) -> float:
        """Milliseconds from a request to what is delivered because of it."""
        before, asked = len(receiver.arrivals()), time.time()
        status = {"status": next(self._statuses), "party": PARTY}
        self._post("registry", f"/commitments/{COMMITMENT}/status-updates", status)
        return (receiver.wait(before) - asked) * 1000

    def _post(self, service: str, path: str, body: object) -> None:
        headers = {"Authorization": f"Bearer {self._stack.keys['bench']}", "Idempotency-Key": str(uuid4())}
        answer = self._http.post(f"{self._stack.url(service)}{path}", json=body, headers=headers)
        if answer.status_code not in (200, 201):
            raise SystemExit(f"{path}: {answer.status_code} {answer.text[:300]}")


@contextmanager
def started(state: Path, http: httpx2.Client) -> Iterator[tuple[IdleStack, float]]:
    """A whole on the real clock, and the seconds until it was ready."""
    client = ApiClient("bench", ("editor", "subscriber", "operator", "admin"))
    began = time.monotonic()
    with running_stack(StackOptions(state, state / "live", (client,)), lambda _: None) as stack:
        took = time.monotonic() - began
        yield IdleStack(stack, http), took


def main() -> None:
    parser = argparse.ArgumentParser(prog="pledgewire bench idle", description=__doc__)
    parser.add_argument("--settle", type=float, default=180, metavar="SECONDS", help="before: Java compiles yet")
    parser.add_argument("--rest", type=float, default=120, metavar="SECONDS", help="how long it is measured")
    parser.add_argument("--events", type=int, default=10, help="single events after a lull, and so many without one")
    parser.add_argument("--lull", type=float, default=12, metavar="SECONDS")
    parser.add_argument("--json", action="store_true")
    choices = parser.parse_args()
    document: dict[str, object] = {}
    with ExitStack() as closing:
        folder = Path(closing.enter_context(tempfile.TemporaryDirectory()))
        http = closing.enter_context(httpx2.Client(timeout=60, trust_env=False))
        receiver = Receiver(http)
        closing.callback(receiver.close)
        with started(folder / "state", http) as (_, cold):
            pass
        with started(folder / "state", http) as (stack, warm):
            print(f"ready after {cold:.1f} s the first time, {warm:.1f} s with everything in place", flush=True)
            stack.fill(receiver)
            time.sleep(choices.settle)
            rest = stack.rest(choices.rest)
            print(rest, flush=True)
            after = [_after(choices.lull, stack, receiver) for _ in range(choices.events)]
            print(f"after a lull of {choices.lull:g} s: {_told(after)}", flush=True)
            between = [_after(0.2, stack, receiver) for _ in range(choices.events)]
            print(f"one after the other: {_told(between)}", flush=True)
            document |= {"cold_seconds": cold, "warm_seconds": warm, "cpu_percent": rest.cpu, "mib": rest.mib}
            document |= {"after_a_lull_ms": after, "one_after_the_other_ms": between}
    if choices.json:
        print(json.dumps(document, indent=2))


def _after(seconds: float, stack: IdleStack, receiver: Receiver) -> float:
    time.sleep(seconds)
    return stack.tell(receiver)


def _told(milliseconds: Sequence[float]) -> str:
    return (
        f"request to delivery median {statistics.median(milliseconds):.0f} ms, slowest {max(milliseconds):.0f} ms,"
        f" of {len(milliseconds)}"
    )


if __name__ == "__main__":
    main()

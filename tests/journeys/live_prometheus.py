"""A Prometheus that really asks an instance, with the rules that are shipped: which alerts fire, and after how long."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import yaml

from services.cli.fleet import SERVICES, free_port
from tests.deploy.prometheus_programs import RULES, program

LONGEST_WAIT = 2.0
"""Seconds that an alert of a Prometheus in haste waits after its condition holds, however long `for` is."""


@dataclass(frozen=True)
class LivePrometheus:
    """One that runs."""

    url: str
    http: httpx2.AsyncClient

    async def firing(self) -> set[tuple[str, str]]:
        """The alerts that fire now: each by its name and by the label that says whom it is about."""
        answer = await self.http.get(f"{self.url}/api/v1/alerts")
        found = [one["labels"] for one in answer.json()["data"]["alerts"] if one["state"] == "firing"]
        return {(one["alertname"], _about(one)) for one in found}

    async def fires(self, alert: str, about: str, *, seconds: float = 120) -> float:
        """Wait until it fires; how many seconds that took."""
        return await self._wait(alert, about, seconds, is_firing=True)

    async def ends(self, alert: str, about: str, *, seconds: float = 120) -> float:
        """Wait until it fires no more; how many seconds that took."""
        return await self._wait(alert, about, seconds, is_firing=False)

    async def has_asked_all(self) -> None:
        """Wait until every service has answered it once."""
        async with asyncio.timeout(60):
            while True:
                answer = await self.http.get(f"{self.url}/api/v1/query", params={"query": "sum(up)"})
                found = answer.json()["data"]["result"] if answer.status_code == 200 else []
                if found and float(found[0]["value"][1]) == len(SERVICES):
                    return
                await asyncio.sleep(0.2)

    async def _wait(self, alert: str, about: str, seconds: float, *, is_firing: bool) -> float:
        began = time.monotonic()
        firing: set[tuple[str, str]] = set()
        while time.monotonic() - began < seconds:
            firing = await self.firing()
            if ((alert, about) in firing) is is_firing:
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        wanted = "does not fire" if is_firing else "goes on"
        raise AssertionError(f"{alert} about {about!r} {wanted} after {seconds:.0f} s; there fire {sorted(firing)}")


def _about(labels: Mapping[str, str]) -> str:
    return next((labels[name] for name in ("topic", "destination", "channel", "service") if name in labels), "")


def in_haste(rules: Any) -> Any:
    """The rules with a wait of two seconds at most, looked at each second; their conditions are the shipped ones."""
    for group in rules["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = f"{LONGEST_WAIT:.0f}s"
    return rules


@asynccontextmanager
async def live_prometheus(
    folder: Path, addresses: Mapping[str, str], http: httpx2.AsyncClient, *, haste: bool = True
) -> AsyncIterator[LivePrometheus]:
    """Start one that asks these services (`host:port` by name), in `haste` each second, else as it is shipped."""
    _write(folder, addresses, haste=haste)
    port = free_port()
    with (folder / "prometheus.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            program("prometheus"),
            f"--config.file={folder / 'prometheus.yaml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            stdout=output,
            stderr=output,
        )
    try:
        prometheus = LivePrometheus(f"http://127.0.0.1:{port}", http)
        await _answers(prometheus, folder / "prometheus.log")
        await prometheus.has_asked_all()
        yield prometheus
    finally:
        process.terminate()
        await process.wait()


def _write(folder: Path, addresses: Mapping[str, str], *, haste: bool) -> None:
    rules = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    (folder / "rules.yaml").write_text(yaml.safe_dump(in_haste(rules) if haste else rules))
    every = "1s" if haste else "15s"
    targets = [{"targets": [address], "labels": {"service": name}} for name, address in addresses.items()]
    settings = {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "pledgewire", "static_configs": targets}],
    }
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(settings))


async def _answers(prometheus: LivePrometheus, log: Path) -> None:
    for _ in range(300):
        try:
            if (await prometheus.http.get(f"{prometheus.url}/-/ready")).status_code == 200:
                return
        except httpx2.TransportError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(await asyncio.to_thread(log.read_text))

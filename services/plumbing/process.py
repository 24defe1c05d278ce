"""One service as one process: HTTP first, then the database, then Kafka; on SIGTERM the same way back.

`python -m services.NAME` and `faststream run services.NAME:app` start the same thing. Every service comes through here,
so this is where its process takes its zone data from the package `tzdata` alone: `plumbing.zones` does it on import.
"""

import asyncio
import contextlib
import gc
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Self

from fastapi import FastAPI
from faststream import FastStream
from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.plumbing.certificates import WatchedCertificate, watch_certificates
from services.plumbing.database import Database
from services.plumbing.http.app import admin_app, limit_requests
from services.plumbing.http.connections import server_config
from services.plumbing.http.request_limits import RequestLimitSettings
from services.plumbing.http.tls_door import TlsDoor
from services.plumbing.kafka.consumer import PatientKafkaBroker
from services.plumbing.kafka.health import watch_consumers
from services.plumbing.kafka.producer import KafkaProducer
from services.plumbing.logs import configure_logs, log
from services.plumbing.quiet_loops import QuietFastStream, QuietServer
from services.plumbing.schema import SchemaGate
from services.plumbing.settings_faults import faults_of_settings
from services.plumbing.tracing import configure_tracing, flush_tracing
from services.plumbing.waiting import OldestWaiting, watch_waiting
from services.plumbing.zones import ZONE_DATA

Work = Callable[[asyncio.Event], Awaitable[None]]
"""Runs until the event is set, then finishes what it has begun and returns."""


class CannotStart(Exception):
    """A service refuses to run as things are: what is the matter, and what helps."""

    def __init__(self, what: str, help: str) -> None:  # noqa: A002  the word that the second line begins with
        super().__init__(what)
        self.help = help


class HttpSettings(BaseSettings):
    """Where the HTTP interface listens."""

    model_config = SettingsConfigDict(env_prefix="HTTP_")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    tls_host: str = "0.0.0.0"  # noqa: S104  who names a certificate means others to reach it
    tls_port: int = Field(default=0, ge=0, le=65535)
    """Where HTTPS is spoken beside it; 0 for nowhere."""
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    """PEM files, read anew within ten seconds when they change."""

    @model_validator(mode="after")
    def _has_a_certificate(self) -> Self:
        if self.tls_port and not (self.tls_certificate and self.tls_key):
            raise ValueError("HTTP_TLS_PORT takes HTTP_TLS_CERTIFICATE and HTTP_TLS_KEY")
        return self


_ADMIN_BESIDE = 10


class AdminSettings(BaseSettings):
    """Where metrics, and the details of what is wrong, are told: to operators, and never through the proxy."""

    model_config = SettingsConfigDict(env_prefix="ADMIN_")

    host: str = "127.0.0.1"
    port: int | None = Field(default=None, ge=0, le=65535)
    """Ten above the port of the HTTP interface, unless set; 0 is any that is free."""

    def port_beside(self, public: int) -> int:
        """The port, of a service whose public one is this."""
        if self.port is not None:
            return self.port
        return public + _ADMIN_BESIDE if 0 < public <= 65535 - _ADMIN_BESIDE else 0


@dataclass
class Service:
    """The parts of a service, built and not yet started."""

    name: str
    http: FastAPI
    http_settings: HttpSettings
    broker: PatientKafkaBroker
    admin_settings: AdminSettings = field(default_factory=AdminSettings)
    request_limits: RequestLimitSettings = field(default_factory=RequestLimitSettings)
    database: Database | None = None
    schema: SchemaGate | None = None
    producer: KafkaProducer | None = None
    work: Sequence[Work] = ()
    """What goes on beside HTTP and Kafka: the relay, the tick, the dispatch. If one dies, the process does."""
    waiting: Sequence[OldestWaiting] = ()
    """What waits in the tables, to be read again and again."""
    certificates: Sequence[WatchedCertificate] = ()
    """Whose end is told of; looked at now and then."""
    closing: Sequence[Callable[[], Awaitable[None]]] = ()
    drain_seconds: float = 25.0
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def admin_port(self) -> int:
        """Where its operators are told how it is."""
        return self.admin_settings.port_beside(self.http_settings.port)


def faststream_app(service: Service) -> FastStream:
    """The application that FastStream's command line and `run` start."""

    @contextlib.asynccontextmanager
    async def lifespan() -> AsyncIterator[None]:
        configure_logs(service.name)
        configure_tracing(service.name)
        try:
            async with _running(service):
                yield
        finally:
            flush_tracing()

    return QuietFastStream(service.broker, lifespan=lifespan, logger=None)


def run(build: Callable[[], Service]) -> None:
    """Build and run a service until SIGTERM or SIGINT; ends the process with 1 when a part of it has died.

    Settings that can't be, and what a service refuses to start with, are said in two lines and end the process with 2.
    """
    try:
        service = build()
    except CannotStart as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201  the log is not set up yet
        print(f"help: {error.help}", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    except ValidationError as error:
        print(f"error: a setting can't be: {faults_of_settings(error) or error.title}", file=sys.stderr)  # noqa: T201  the log is not set up yet
        print("help: set them in the environment; .env.example names and explains them all", file=sys.stderr)  # noqa: T201
        sys.exit(2)
    configure_logs(service.name)
    app = faststream_app(service)
    spare_garbage_collection()
    try:
        _loop_runner(app.run())
    except* KeyboardInterrupt:
        pass
    except* Exception as errors:
        log.error("the process ends", action="process_failed", exc_info=errors)
        sys.exit(1)


def spare_garbage_collection() -> None:
    """Look for garbage less often, and never among what has been imported and built, which stays to the end.

    Looking through it again and again took a tenth of the time of a burst.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _loop_runner(main: Awaitable[None]) -> None:
    try:
        from uvloop import new_event_loop
    except ImportError:  # no uvloop on Windows
        asyncio.run(main)  # type: ignore[arg-type]
        return
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(main)  # type: ignore[arg-type]


@contextlib.asynccontextmanager
async def _running(service: Service) -> AsyncIterator[None]:
    service.stopping = stopping = asyncio.Event()
    limit_requests(service.http, service.request_limits)
    servers, watching_doors = _servers(service)
    async with asyncio.TaskGroup() as group:
        serving = [group.create_task(server.serve(), name="http") for server in servers]
        try:
            if service.database:
                await service.database.open()
            if service.schema:
                await service.schema.wait()
            works = [*service.work, *_watching(service), *watching_doors]
            tasks = [group.create_task(_work(work, stopping)) for work in works]
            log.info(
                "started",
                action="started",
                port=service.http_settings.port,
                admin_port=service.admin_port,
                zone_data=ZONE_DATA,
            )
            yield
            # FastStream has stopped the consumers by now: nothing new comes in.
            log.info("draining", action="draining")
            stopping.set()
            if tasks:
                _, late = await asyncio.wait(tasks, timeout=service.drain_seconds)
                for task in late:
                    log.warning("cut while draining", action="drain_cut", task=task.get_name())
                    task.cancel()
        finally:
            stopping.set()
            for close in service.closing:
                await close()
            if service.producer:
                await service.producer.close()
            if service.database:
                await service.database.close()
            for server in servers:
                server.leave()
            await asyncio.wait(serving, timeout=7)
            for task in serving:
                task.cancel()
    log.info("stopped", action="stopped")


def _servers(service: Service) -> tuple[list[QuietServer], list[Work]]:
    """What listens: plain HTTP, the admin port, HTTPS where a port is named; and what looks after the certificate."""
    settings = service.http_settings
    admin = server_config(admin_app(service.http), service.admin_settings.host, service.admin_port)
    servers = [QuietServer(server_config(service.http, settings.host, settings.port)), QuietServer(admin)]
    if not (settings.tls_port and settings.tls_certificate and settings.tls_key):
        return servers, []
    config = server_config(service.http, settings.tls_host, settings.tls_port)
    door = TlsDoor(config, settings.tls_certificate, settings.tls_key)
    return [*servers, QuietServer(config)], [door.follow]


def _watching(service: Service) -> list[Work]:
    """What looks at the service's own doings, apart from them."""
    return [
        partial(watch_consumers, service.broker),
        partial(watch_waiting, service.waiting),
        partial(watch_certificates, service.certificates),
    ]


async def _work(work: Work, stopping: asyncio.Event) -> None:
    await work(stopping)
    if not stopping.is_set():
        raise RuntimeError(f"{work!r} ended by itself")

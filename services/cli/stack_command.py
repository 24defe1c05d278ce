"""`pledgewire stack`: a whole Pledgewire that stays up until it is told to stop, for trying things by hand."""

import json
import re
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import httpx2

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.state import write_private
from deploy.embedded.tls_listener import TlsListener
from services.cli.fleet import SERVICES
from services.cli.keys import ApiClient
from services.cli.running_stack import RunningStack, StackOptions, running_stack
from services.cli.service_client import ASKED_WRONGLY
from services.cli.stopping import stopped_by_signals
from services.cli.up.noting import found_by_commands
from services.cli.up.state_folder import InstanceFolder
from services.plumbing.file_stamps import stamps

CLIENTS = (
    ApiClient("editors", ("editor", "subscriber", "operator", "admin")),
    ApiClient("tracker", ("editor", "reporter")),
    ApiClient("assessor", ("assessor",)),
    ApiClient("other-subscriber", ("subscriber",)),
    ApiClient("mx-sre", ("reporter", "subscriber"), "mx-sre"),
    ApiClient("ca-gac", ("reporter", "subscriber"), "ca-gac"),
)
CERTIFICATE_SECONDS = 10
"""How often we look whether the certificate's files have changed."""


def read_clock(text: str | None) -> datetime | None:
    """An instant with its offset from UTC, or a day, which begins in UTC; raises EmbeddedError."""
    if text is None:
        return None
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant and re.fullmatch(r"[0-9-]+", text):
        instant = instant.replace(tzinfo=UTC)
    if instant is None or instant.tzinfo is None:
        raise EmbeddedError(
            f"the clock can't be set to {text!r}",
            "write an instant as 2022-02-01T18:00:00Z, or a day as 2022-02-01",
            ASKED_WRONGLY,
        )
    return instant.astimezone(UTC)


def read_environment(settings: Sequence[str]) -> dict[str, str]:
    """Settings given as NAME=VALUE; raises EmbeddedError."""
    found = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or not re.fullmatch(r"[A-Z_][A-Z0-9_]*", name):
            raise EmbeddedError(
                f"{setting!r} is no setting", "write it as NAME=VALUE, the name in capitals", ASKED_WRONGLY
            )
        found[name] = value
    return found


def read_tls(listen: str, advertised: str, certificate: Path | None, key: Path | None) -> TlsListener | None:
    """Where others reach Kafka, None where none of it is named; raises EmbeddedError for a part of it."""
    if certificate and key and listen and advertised:
        return TlsListener.named(listen, advertised, certificate.absolute(), key.absolute())
    if certificate or key or listen or advertised:
        raise EmbeddedError(
            "a listener that others reach takes an address, what clients call it, a certificate and its key",
            "give --kafka-listen, --kafka-advertised, --kafka-certificate and --kafka-key, or none of them",
            ASKED_WRONGLY,
        )
    return None


def run_stack(
    state: Path,
    *,
    begins: datetime | None,
    with_statement: bool,
    allow_hosts: str,
    brokers: int,
    keep: bool,
    environment: Mapping[str, str],
    tls: TlsListener | None = None,
) -> int:
    """Start it, write its addresses and keys to STATE/stack.json, and keep it up until SIGTERM or SIGINT; then 0.

    `begins` is where a settable clock is to stand; None for the machine's. `tls` is where others reach Kafka; when its
    certificate's file changes, the new one is shown within ten seconds. Raises EmbeddedError.
    """
    started = time.monotonic()
    state = state.absolute()
    document = state / "stack.json"
    options = StackOptions(
        state=state,
        folder=state / "live",
        clients=CLIENTS,
        clock_file=state / "clock" if begins else None,
        begins=begins,
        brokers=brokers,
        reset=not keep,
        allow_hosts=allow_hosts,
        environment=environment,
        tls=tls,
    )
    try:
        with stopped_by_signals(), running_stack(options, _say) as stack, ExitStack() as closing:
            try:
                if with_statement:
                    _say(_import_statement(stack))
                clock = {"PLEDGEWIRE_CLOCK_FILE": str(options.clock_file)} if options.clock_file else {}
                more = {"PLEDGEWIRE_KEY": stack.keys["editors"], **clock}
                closing.enter_context(found_by_commands(InstanceFolder(state), stack, more))
                write_private(document, json.dumps(described(stack), indent=1) + "\n")
                _say(f"Ready after {time.monotonic() - started:.1f} s; addresses and keys are in {document}")
                if tls and stack.parts:
                    _say(f"Kafka   {stack.parts.tls_servers} (SASL_SSL, SCRAM-SHA-512)")
                _say(f"Portal  {stack.url('portal')}\nInbox   {stack.inbox_url}/dev/inbox\nCtrl-C or SIGTERM ends it.")
                _stay_up(stack, tls)
            finally:
                document.unlink(missing_ok=True)  # it says where a stack is, and soon there is none
    except KeyboardInterrupt:
        return 0


def _stay_up(stack: RunningStack, tls: TlsListener | None) -> NoReturn:
    """Until a signal; meanwhile the listener that others reach gets the certificate that its operator renews."""
    if tls is None or stack.parts is None:
        while True:
            time.sleep(3600)
    shown = stamps(tls.certificate, tls.key)
    while True:
        time.sleep(CERTIFICATE_SECONDS)
        if (found := stamps(tls.certificate, tls.key)) != shown:
            shown = found
            try:
                stack.parts.renew_certificate()
                _say("Kafka shows the new certificate")
            except EmbeddedError as error:
                _say(str(error))


def described(stack: RunningStack) -> dict[str, Any]:
    """Where everything is, and how it is got into; all keys and passwords are in it."""
    return {
        "urls": {name: member.url for name, member in stack.fleet.members.items()},
        "admin_urls": {name: stack.admin_url(name) for name in SERVICES},
        "keys": dict(stack.keys),
        "smtp_port": stack.smtp_port,
        "pids": stack.fleet.pids(),
        "parts": stack.parts.processes() if stack.parts else {},
        "env": dict(stack.environment),
        "kafka_tls": stack.parts.tls_servers if stack.parts else "",
        "logs": str(stack.fleet.folder),
    }


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _import_statement(stack: RunningStack) -> str:
    """Have the built-in statement imported; what came of it, in a line."""
    response = httpx2.post(
        f"{stack.url('registry')}/statements/import",
        json={"catalogue": "nals-2021"},
        headers={"Authorization": f"Bearer {stack.keys['editors']}", "Idempotency-Key": "import-nals-2021"},
        timeout=60,
        trust_env=False,
    )
    if response.status_code not in (200, 201):
        raise EmbeddedError(
            f"the statement was not imported: {response.status_code} {response.text[:300]}",
            f"see {stack.fleet.log('registry')}",
        )
    return f"Imported the statement: {response.json()['commitments']} commitments"

"""What listens, and what it says of itself: our four services, and the mail server."""

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx2
from pydantic import ValidationError

from services.cli.doctor.diagnosis import Diagnosis, good, unknown, wrong
from services.plumbing.settings_faults import faults_of_settings

_LOCAL = ("127.0.0.1", "localhost", "::1")


async def look_at_service(name: str, url: str, admin_url: str, *, is_expected: bool) -> Diagnosis:
    """Who answers at a service's port, and whether it is ready; `is_expected`: it is said to run."""
    parts = urlsplit(url)
    port = parts.port or 80
    found = f"port {port} ({name})" if parts.hostname in _LOCAL else f"{name} at {parts.hostname}:{port}"
    async with httpx2.AsyncClient(timeout=5, trust_env=False) as client:
        try:
            answer = await client.get(f"{url}/livez")
        except httpx2.ConnectError:
            if is_expected:
                return wrong(found, "nobody listens there", "see pledgewire status and the log, then pledgewire up")
            return _free(found, parts.hostname or "", port)
        except httpx2.HTTPError as error:
            return wrong(found, f"who listens there doesn't answer: {type(error).__name__}", _who(port))
        if _service_of(answer) != name:
            return wrong(found, "something else listens there", _who(port))
        return await _readiness(found, client, url, admin_url)


async def _readiness(found: str, client: httpx2.AsyncClient, url: str, admin_url: str) -> Diagnosis:
    if (await client.get(f"{url}/readyz")).status_code == 200:
        return good(found, "it answers and is ready")
    try:
        checks: Mapping[str, str] = (await client.get(f"{admin_url}/readyz")).json()["checks"]
    except (httpx2.HTTPError, ValueError, KeyError, TypeError):
        return wrong(found, "it waits for something", f"ask its admin port on its own machine: curl {admin_url}/readyz")
    told = "; ".join(f"{check}: {what}" for check, what in checks.items() if what != "ok")
    return wrong(found, f"it waits: {told}"[:300], "mend what it names; it goes on by itself")


def _service_of(answer: httpx2.Response) -> object:
    try:
        body = answer.json()
    except ValueError:
        return None
    return body.get("service") if isinstance(body, dict) else None


def _free(found: str, host: str, port: int) -> Diagnosis:
    if host not in _LOCAL:
        return wrong(found, "nobody listens there", "start it, or correct its address in the settings")
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return wrong(found, f"it can't be opened: {error.strerror}", _who(port))
    return unknown(found, "free; nothing runs yet", "start it: pledgewire up")


def _who(port: int) -> str:
    return f"see who it is (ss -ltnp 'sport = :{port}'), end it, or choose another port in the settings"


async def look_at_mail(smtp: Mapping[str, str]) -> Diagnosis:
    """Whether the mail server lets us in as the settings say; no mail is sent."""
    from aiosmtplib import SMTPAuthenticationError, SMTPException

    from services.notifier.transport.smtp import SmtpSettings, logged_in

    known = {name: text for name, text in smtp.items() if name in SmtpSettings.model_fields and text}
    try:
        settings = SmtpSettings.model_validate({**known, "deadline": 10})
    except ValidationError as error:
        return wrong("mail", f"its settings can't be: {faults_of_settings(error) or error.title}", "correct [smtp]")
    where = f"{settings.host}:{settings.port}"
    try:
        client = await logged_in(settings)
    except SMTPAuthenticationError as error:
        return wrong("mail", f"{where} refuses our user ({error.code})", "correct SMTP_USERNAME and SMTP_PASSWORD")
    except (SMTPException, OSError, ValueError) as error:
        # Its text may quote the user name.
        fix = "correct SMTP_HOST, SMTP_PORT and SMTP_TLS, or let this machine through to it"
        return wrong("mail", f"{where} can't be used: {type(error).__name__}", fix)
    how = "logged in" if settings.username else "without a login"
    client.close()
    return good("mail", f"{where} takes us, {how}")

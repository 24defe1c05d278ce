"""What commands ask services over HTTP: one question, one answer in JSON, and errors as two lines for people."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from services.cli.texts import terminal_language

if TYPE_CHECKING:
    import httpx2

FAILED, ASKED_WRONGLY, NOT_FOUND = 1, 2, 3
"""Exit statuses, of all commands; docs/for-operators.md has them as a table."""


@dataclass(frozen=True)
class Refusal:
    """A service's answer that is no success, as far as it is a problem document."""

    status: int
    title: str
    detail: str
    faults: tuple[str, ...]
    """`name: there is nothing to be seen in it`."""

    def told(self, how: str) -> tuple[str, str, int]:
        """What it says, what to do about it, and the exit status."""
        return ": ".join(filter(None, (self.title, self.detail))), how, exit_status(self.status)


Explain = Callable[[Refusal], tuple[str, str, int]]
"""What a command says of a refusal: what is wrong, what to do about it, and the exit status."""


@dataclass(frozen=True)
class CommandClient:
    """Asks one service; a proxy of the environment is never used, since addresses and keys are our own."""

    service: str
    """Its name, for people."""
    setting: str
    """The environment variable that says where it is."""
    option: str
    """The option that does, for people: `--url`."""
    url: str
    explain: Explain
    key: str | None = None

    def ask(self, method: str, path: str, *, timeout: float = 30, **request: Any) -> Any:
        """The answer's JSON, None where it has no body; raises EmbeddedError for a refusal, or when there is none.

        `timeout` is in seconds; what else is given goes to the HTTP library as it is.
        """
        import httpx2

        from deploy.embedded.errors import EmbeddedError

        self._check_key()
        headers = {"Accept-Language": terminal_language(), **self._authorization(), **request.pop("headers", {})}
        try:
            with httpx2.Client(base_url=self.url, timeout=timeout, trust_env=False) as client:
                answer = client.request(method, path, headers=headers, **request)
        except (httpx2.UnsupportedProtocol, httpx2.InvalidURL, ValueError) as error:
            raise EmbeddedError(
                f"the {self.service} can't be asked at {self.url}: {error or type(error).__name__}",
                f"write its address as http://host:port in {self.setting}, or give it with {self.option}",
                ASKED_WRONGLY,
            ) from error
        except httpx2.HTTPError as error:
            raise EmbeddedError(
                f"the {self.service} at {self.url} does not answer: {error or type(error).__name__}",
                f"set {self.setting} or {self.option}",
                FAILED,
            ) from error
        if answer.is_success and not answer.content:
            return None
        body = self._json(answer)
        if answer.is_success:
            return body
        raise EmbeddedError(*self.explain(_refusal(answer.status_code, body)))

    def items(self, path: str, params: Mapping[str, str]) -> list[Any]:
        """Everything that a list holds, page by page; raises what `ask` does."""
        found: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = self.ask("GET", path, params={**params, **cursor})
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = {"cursor": page["next_cursor"]}

    def _check_key(self) -> None:
        """Raise EmbeddedError for a key that was cut or misspelt: its checksum tells, and no service need be asked."""
        from deploy.embedded.errors import EmbeddedError
        from services.plumbing.http.api_key_text import PREFIX, key_id_of

        if self.key and self.key.startswith(f"{PREFIX}_") and key_id_of(self.key) is None:
            raise EmbeddedError("the API key is not whole", "copy all of it, to its last character", ASKED_WRONGLY)

    def _authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    def _json(self, answer: "httpx2.Response") -> Any:
        from deploy.embedded.errors import EmbeddedError

        try:
            return answer.json()
        except ValueError as error:
            raise EmbeddedError(
                f"{self.url} answers {answer.status_code} without JSON",
                f"is {self.setting} really the {self.service}'s?",
                FAILED,
            ) from error


def _refusal(status: int, body: Any) -> Refusal:
    problem: Mapping[str, Any] = body if isinstance(body, dict) else {}
    errors = problem.get("errors")
    faults = [fault for fault in errors if isinstance(fault, dict)] if isinstance(errors, list) else []
    return Refusal(
        status,
        str(problem.get("title") or "no reason is given"),
        str(problem.get("detail") or ""),
        tuple(f"{_place(fault)}: {fault.get('detail', '')}" for fault in faults),
    )


def _place(fault: Mapping[str, Any]) -> str:
    """Where a fault lies: `milestones/0/edtf` of the body, or the name of a parameter or a header."""
    pointer = fault.get("pointer")
    if isinstance(pointer, str):
        return unquote(pointer.removeprefix("#/")).replace("~1", "/").replace("~0", "~") or "the body"
    return str(fault.get("parameter") or fault.get("header") or "the request")


def exit_status(refused_with: int) -> int:
    """The exit status for a service's HTTP status that is no success."""
    return {400: ASKED_WRONGLY, 404: NOT_FOUND, 422: ASKED_WRONGLY}.get(refused_with, FAILED)


def acting_once() -> dict[str, str]:
    """The header of a request that acts once, even if it should arrive twice."""
    from uuid import uuid4

    return {"Idempotency-Key": str(uuid4())}


def segment(text: str) -> str:
    """A text as one segment of a path; an empty one, which would be another path, as `-`."""
    return quote(text, safe="") or "-"


def print_json(document: object) -> None:
    """Print a document for programs: one JSON object; a list stands in it as `items`."""
    import json

    import typer

    typer.echo(json.dumps(document, ensure_ascii=False, indent=2))

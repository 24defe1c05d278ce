"""A fourth language is a row and a catalogue: somebody subscribes in Portuguese, and a mail in it goes out."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from pathlib import Path

import httpx2 as httpx
import pytest

from services.i18n import catalogue, words
from services.i18n.extraction import updated
from services.i18n.languages import LANGUAGES, LanguageConventions
from services.notifier import openapi
from services.notifier.channels.email import POLICY
from services.notifier.channels.outcomes import Accepted
from services.notifier.delivery.fan_out import FanOut
from services.plumbing.clock import SharedClock
from services.plumbing.database import Database
from tests.notifier.channels.checks import CHECKS, Page
from tests.notifier.delivery.test_rendering_faults import MailServer, dispatching, ends
from tests.notifier.rendering.material import GOLDEN, mailed, message, part, sent
from tests.notifier.requests import by, form
from tests.notifier.scenes import NO_CAPACITY, NOW, incoming

WRITTEN = {
    "Status": "Situação",
    "Reported by": "Informado por",
    "in progress": "em andamento",
    "%(label)s:": "%(label)s:",
    "Before": "Antes",
    "%(label)s: %(value)s": "%(label)s: %(value)s",
    "Open the commitment": "Abrir o compromisso",
}
"""A small catalogue: what is not in it is shown in English."""


@pytest.fixture
def portuguese(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    monkeypatch.setitem(LANGUAGES, "pt", LanguageConventions("pt_BR"))  # type: ignore[arg-type]  # it is a dict
    for held in catalogue.LOCALES.iterdir():
        (tmp_path / held.name).write_bytes(held.read_bytes())
    monkeypatch.setattr(catalogue, "LOCALES", tmp_path)
    text = updated("pt", "")
    for message_id, translated in WRITTEN.items():
        assert f'msgid "{message_id}"\nmsgstr ""' in text
        text = text.replace(f'msgid "{message_id}"\nmsgstr ""', f'msgid "{message_id}"\nmsgstr "{translated}"')
    (tmp_path / "pt.po").write_text(text, encoding="utf-8")
    words._made.cache_clear()
    yield "pt"
    words._made.cache_clear()


class KeepingMailServer(MailServer):
    """Keeps the mails."""

    def __init__(self) -> None:
        super().__init__()
        self.mails: list[bytes] = []

    async def send(self, mail: bytes, sender: str, recipient: str, read_reply: object) -> Accepted:
        self.mails.append(mail)
        return await super().send(mail, sender, recipient, read_reply)


@pytest.fixture
def clock(tmp_path: Path) -> SharedClock:
    made = SharedClock(tmp_path / "clock")
    made.set(NOW)
    return made


async def test_somebody_subscribes_in_a_fourth_language_and_gets_a_mail_in_it(
    http: httpx.AsyncClient, database: Database, clock: SharedClock, portuguese: str
):
    asked = form(channel="email", address="mesa@itamaraty.example", language=portuguese, filters={"parties": []})
    made = await http.post("/subscriptions", json=asked, headers=by(http, "sre"))
    assert (made.status_code, made.json()["language"]) == (201, "pt"), made.text
    server = KeepingMailServer()

    async with dispatching(database, clock, server):
        await FanOut(database, lease_seconds=60).apply([incoming()], NOW, NO_CAPACITY)
        found = await ends(database, 1)

    assert found["mesa@itamaraty.example"][0] == "delivered"
    letter = message_from_bytes(server.mails[0], policy=POLICY)
    assert letter["Content-Language"] == "pt"
    assert "Informado por:" in part(letter, "plain")
    assert ("html", "pt") in Page(part(letter, "html")).languages


@pytest.mark.parametrize("name", GOLDEN)
def test_every_event_is_told_in_a_fourth_language_on_every_channel(portuguese: str, name: str):
    for channel, check in CHECKS.items():
        check(sent(GOLDEN[name], channel, portuguese), portuguese)


def test_words_come_in_the_fourth_language_where_they_are_there_in_it(portuguese: str):
    event = GOLDEN["status-changed.v1.drug-dialogue-met"]
    value = json.loads(event.value)
    value["commitment"]["title"]["pt"] = "Diálogo sobre drogas"
    event = replace(event, value=json.dumps(value).encode())
    told = message(event, portuguese)
    html = part(message_from_bytes(mailed(event, portuguese), policy=POLICY), "html")

    assert told.title == "Diálogo sobre drogas"
    assert told.lead == "Antes: em andamento"
    assert "Canadá, México e Estados Unidos" in {str(fact.value) for fact in told.facts}
    assert '<span lang="en">' in html, "the section is there in English only"
    assert '<span lang="en">Diálogo' not in html


def test_no_document_of_ours_changes_with_a_fourth_language(portuguese: str):
    assert portuguese in LANGUAGES
    assert openapi.document() == openapi.PATH.read_text(encoding="utf-8")

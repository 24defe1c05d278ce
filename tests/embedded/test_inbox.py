"""The mailbox and chat receiver: takes what is good, refuses what platforms refuse, and shows it safely."""

import asyncio
import json
import os
import re
import signal
import smtplib
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from standardwebhooks import Webhook

from deploy.embedded.inbox import calendars, links, mails, markup, slack, teams
from deploy.embedded.inbox.kept import Box, MessageFilter
from deploy.embedded.inbox.receiver import Inbox
from deploy.embedded.inbox.verdicts import AcceptedPost, RefusedPost
from tests.notifier.rendering.material import GOLDEN, LANGUAGES, mailed, posted, reader

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER_SECRET = "whsec_" + "A" * 32
HOSTILE = '<script>alert(1)</script><img src=x onerror="alert(2)">'


def letter(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    given = {"From": "wire@pledgewire.example", "To": "ana@sre.example", "Subject": "Échéance : 7 jours"}
    for name, value in (given | {name.replace("_", "-"): value for name, value in headers.items()}).items():
        mail[name] = value
    mail.set_content("The text part, échéance\n")
    mail.add_alternative(f"<html><head></head><body><p>The HTML part</p>{HOSTILE}</body></html>", subtype="html")
    return mail


async def post_mail(inbox: Inbox, mail: EmailMessage | bytes) -> None:
    def post() -> None:
        with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=10) as smtp:
            if isinstance(mail, bytes):
                smtp.sendmail("a@x.example", ["b@y.example"], mail)
            else:
                smtp.send_message(mail)

    await asyncio.to_thread(post)


def block(text: str, kind: str = "plain_text") -> dict[str, Any]:
    return {"type": "section", "text": {"type": kind, "text": text}}


def adaptive(*body: dict[str, Any]) -> dict[str, Any]:
    content = {"type": "AdaptiveCard", "version": "1.5", "body": list(body)}
    return {"type": "message", "attachments": [{"contentType": teams.CARD, "content": content}]}


def signed(body: str, secret: str = SECRET, at: datetime | None = None) -> dict[str, str]:
    at, name = at or datetime.now(UTC), str(uuid4())
    return {
        "webhook-id": name,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, at, body),
    }


class Elements(HTMLParser):
    """The elements of a page, scripts with their source."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def assert_harmless(self) -> None:
        for tag, attributes in self.found:
            assert tag not in ("img", "svg", "object", "embed")
            assert tag != "script" or attributes == {"src": "/dev/inbox/static/inbox.js", "defer": None}
            assert not any(name.startswith("on") or name == "style" for name in attributes)
            assert not (attributes.get("href") or "").startswith(("javascript:", "data:text"))


async def test_a_mail_with_html_and_text_shows_in_the_interface_and_on_the_page(
    inbox: Inbox, web: httpx2.AsyncClient
) -> None:
    await post_mail(inbox, letter(Message_ID="<d-1@x.example>", References="<commitment.nals-2021-coal-finance@x>"))
    listed = (await web.get("/dev/inbox/messages", params={"kind": "email", "name": "ana@sre.example"})).json()
    brief = listed["messages"][0]
    assert (
        brief["title"],
        brief["delivery_id"],
        brief["commitment_id"],
    ) == ("Échéance : 7 jours", "d-1", "nals-2021-coal-finance")
    whole = (await web.get(f"/dev/inbox/messages/{brief['number']}")).json()
    assert whole["mail"]["text"] == "The text part, échéance\n"
    assert "<p>The HTML part</p>" in whole["mail"]["html"]
    page = await web.get("/dev/inbox", params={"n": brief["number"]})
    assert "Échéance : 7 jours" in page.text
    assert "The text part, échéance" in (await web.get("/dev/inbox", params={"n": 1, "tab": "text"})).text


async def test_a_mail_for_two_counts_twice(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    await post_mail(inbox, letter(To="ana@sre.example, elise@gac.example", Message_ID="<d-2@x.example>"))
    arrivals = (await web.get("/dev/inbox/arrivals")).json()
    assert [a[:3] for a in arrivals] == [["d-2", "email", "ana@sre.example"], ["d-2", "email", "elise@gac.example"]]


async def test_the_html_of_a_mail_is_shut_in(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    await post_mail(inbox, letter())
    page = await web.get("/dev/inbox", params={"n": 1})
    frames = [attributes for tag, attributes in Elements(page.text).found if tag == "iframe"]
    assert [frame["sandbox"] for frame in frames] == ["allow-popups allow-popups-to-escape-sandbox"]
    framed = await web.get(str(frames[0]["src"]))
    # The sandbox stands in the answer's own policy too: the address can be opened without the frame.
    policy = framed.headers["content-security-policy"]
    assert re.search(r"sandbox(?! allow-scripts)", policy)
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("tab", ["html", "text", "source", "headers", "checks", "parts", "calendar"])
async def test_no_view_of_a_mail_carries_its_markup(inbox: Inbox, web: httpx2.AsyncClient, tab: str) -> None:
    mail = letter(Subject=HOSTILE, X_Odd=HOSTILE, List_Unsubscribe="<javascript:alert(1)>")
    mail.get_payload(0).set_content(HOSTILE)  # type: ignore[union-attr]
    mail.add_attachment(
        f"BEGIN:VEVENT\r\nSUMMARY:{HOSTILE}\r\nEND:VEVENT".encode(), "text", "calendar", filename=HOSTILE
    )
    await post_mail(inbox, mail)
    Elements((await web.get("/dev/inbox", params={"n": 1, "tab": tab, "q": "script"})).text).assert_harmless()


async def test_parts_are_downloads(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    mail = letter()
    mail.add_attachment(HOSTILE.encode(), "text", "html", filename="page.html")
    await post_mail(inbox, mail)
    parts = (await web.get("/dev/inbox/messages/1")).json()["mail"]["parts"]
    got = await web.get(f"/dev/inbox/messages/1/parts/{parts[0]['at']}")
    assert got.text == HOSTILE
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "headers",
    [
        {"Subject": "=?utf-8?b?////?="},
        {"Subject": "=?no-such-code?q?x?="},
        {"Date": "yesterday"},
        {"To": "<<>>,;:@"},
        {"Message-ID": "no id"},
        {"Content-Type": 'text/html; charset="no-such-code"'},
        {"Content-Type": "multipart/mixed"},
        {"Content-Transfer-Encoding": "base64"},
        {"Content-Disposition": "attachment; filename*=x'y'%FF"},
    ],
)
async def test_a_broken_mail_is_kept_and_shown(inbox: Inbox, web: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    raw = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode() + b"\r\nsome \xff bytes\r\n"

    def post() -> None:
        with smtplib.SMTP("127.0.0.1", inbox.smtp_port, timeout=10) as smtp:
            smtp.sendmail("a@x.example", ["b@y.example"], raw)

    await asyncio.to_thread(post)
    assert (await web.get("/dev/inbox/messages/1")).status_code == 200
    for tab in ("html", "text", "source", "headers", "parts", "checks"):
        assert (await web.get("/dev/inbox", params={"n": 1, "tab": tab})).status_code == 200


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (b"no json", "invalid_payload"),
        (b'["a list"]', "invalid_payload"),
        (b"{}", "no_text"),
        (b'{"text": ""}', "no_text"),
        (b'{"blocks": "x", "text": "y"}', "invalid_blocks"),
        (json.dumps({"blocks": [block("x")] * 51}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [block("x" * 3001)]}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [block("")]}).encode(), "invalid_blocks"),
        (json.dumps({"blocks": [{"type": "banner"}]}).encode(), "invalid_blocks"),
        (
            json.dumps({"blocks": [{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}]}).encode(),
            "invalid_blocks",
        ),
        (
            json.dumps({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}).encode(),
            "invalid_blocks",
        ),
        (
            json.dumps({"blocks": [{"type": "section", "fields": [block("x")["text"]] * 11}]}).encode(),
            "invalid_blocks",
        ),
        (
            json.dumps({"blocks": [{"type": "section", "fields": [block("x" * 2001)["text"]]}]}).encode(),
            "invalid_blocks",
        ),
    ],
)
async def test_slack_refuses(inbox: Inbox, web: httpx2.AsyncClient, body: bytes, answer: str) -> None:
    said = await web.post("/hooks/slack/desk", content=body)
    assert (400, answer) == (said.status_code, said.text)
    assert (await web.get("/dev/inbox/messages")).json()["messages"] == []
    refusal = (await web.get("/dev/inbox/refusals")).json()[0]
    assert (refusal["kind"], refusal["name"], refusal["status"]) == ("slack", "desk", 400)
    assert "desk" in (await web.get("/dev/inbox", params={"tab": "refused"})).text


async def test_slack_takes_a_message_at_its_limits(web: httpx2.AsyncClient) -> None:
    fields = {"type": "section", "fields": [block("x" * 2000)["text"]] * 10}
    said = await web.post("/hooks/slack/desk", json={"blocks": [block("x" * 3000), fields] * 25})
    assert (said.status_code, said.text) == (200, "ok")


@pytest.mark.parametrize(
    "change",
    [
        {"type": "card"},
        {"attachments": []},
        {"attachments": [{"contentType": "text/html", "content": {}}]},
        adaptive({"type": "TextBlock"}),
        adaptive({"type": "Marquee", "text": "x"}),
        adaptive({"type": "FactSet", "facts": [{"title": "no value"}]}),
        adaptive({"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "x", "url": "javascript:x"}]}),
    ],
)
async def test_teams_refuses_what_its_flow_would_fail_on(web: httpx2.AsyncClient, change: dict[str, Any]) -> None:
    said = await web.post("/hooks/teams/equipo", json=adaptive({"type": "TextBlock", "text": "x"}) | change)
    assert said.status_code == 400


async def test_teams_takes_28_kilobytes_and_not_a_byte_more(web: httpx2.AsyncClient) -> None:
    def of(size: int) -> bytes:
        bare = json.dumps(adaptive({"type": "TextBlock", "text": ""}))
        return bare.replace('"text": ""', f'"text": "{"x" * (size - len(bare))}"').encode()

    assert ((said := await web.post("/hooks/teams/e", content=of(28 * 1024))).status_code, said.content) == (202, b"")
    assert (await web.post("/hooks/teams/e", content=of(28 * 1024 + 1))).status_code == 413


async def test_a_webhook_is_taken_when_its_signature_is_right(web: httpx2.AsyncClient) -> None:
    body = '{"type": "org.pledgewire.milestone-due.v1", "subject": "nals-2021-coal-finance"}'
    assert (await web.post("/hooks/webhook/mx", content=body, headers=signed(body))).status_code == 401
    assert (await web.put("/dev/inbox/secrets/mx", json={"secret": SECRET})).status_code == 204
    headers = signed(body)
    assert (await web.post("/hooks/webhook/mx", content=body, headers=headers)).status_code == 204
    kept = (await web.get("/dev/inbox/messages")).json()["messages"][0]
    assert headers["webhook-id"] == kept["delivery_id"]
    assert kept["commitment_id"] == "nals-2021-coal-finance"
    assert "Signature verified" in (await web.get("/dev/inbox", params={"n": 1})).text


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        ("{}", signed("{}", OTHER_SECRET), 401),
        ("{} ", signed("{}"), 401),
        ("{}", signed("{}", at=datetime.now(UTC) - timedelta(minutes=6)), 401),
        ("{}", signed("{}") | {"webhook-signature": "v1"}, 401),
        ("{}", signed("{}") | {"webhook-signature": "v1,§§§".encode().decode("latin-1")}, 401),
        ("{}", signed("{}") | {"webhook-timestamp": "soon"}, 401),
        ("{}", {}, 400),
        ("no json", signed("no json"), 400),
    ],
)
async def test_a_webhook_is_refused_when_its_signature_is_not(
    inbox: Inbox, web: httpx2.AsyncClient, body: str, headers: dict[str, str], status: int
) -> None:
    inbox.hooks.trust("mx", SECRET)
    raw = [(name, value.encode("latin-1")) for name, value in headers.items()]
    assert status == (await web.post("/hooks/webhook/mx", content=body, headers=raw)).status_code  # type: ignore[arg-type]
    assert inbox.box.last == 0


async def test_a_secret_that_is_none_is_refused(web: httpx2.AsyncClient) -> None:
    assert (await web.put("/dev/inbox/secrets/mx", json={"secret": "whsec_"})).status_code == 422


async def test_a_receiver_fails_as_often_as_it_is_told_to(web: httpx2.AsyncClient) -> None:
    told = {"fail_first": 2, "status": 429, "retry_after": 7}
    await web.put("/dev/inbox/behaviour/slack/desk", json=told)
    said = [await web.post("/hooks/slack/desk", json={"text": "x"}) for _ in range(3)]
    assert [one.status_code for one in said] == [429, 429, 200]
    assert [one.headers.get("retry-after") for one in said] == ["7", "7", None]
    assert (await web.post("/hooks/slack/other", json={"text": "x"})).status_code == 200
    assert (await web.get("/dev/inbox/behaviour/slack/desk")).json()["refused"] == 2
    await web.put("/dev/inbox/behaviour/slack/desk", json={"fail_first": None})
    assert (await web.post("/hooks/slack/desk", json={"text": "x"})).status_code == 503
    await web.delete("/dev/inbox/behaviour/slack/desk")
    assert (await web.post("/hooks/slack/desk", json={"text": "x"})).status_code == 200


async def test_a_mailbox_fails_too(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    await web.put("/dev/inbox/behaviour/email/ana@sre.example", json={"fail_first": 1})
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        await post_mail(inbox, letter())
    assert refused.value.recipients["ana@sre.example"][0] == 451
    await post_mail(inbox, letter())
    assert inbox.box.last == 1


async def test_a_delivery_that_comes_again_is_marked(web: httpx2.AsyncClient) -> None:
    card = {"blocks": [{"type": "context", "elements": [{"type": "mrkdwn", "text": f"Delivery {uuid4()}"}]}]}
    for _ in range(2):
        await web.post("/hooks/slack/desk", json=card)
    assert [m["repeats"] for m in (await web.get("/dev/inbox/messages")).json()["messages"]] == [None, 1]
    assert "came before" in (await web.get("/dev/inbox", params={"n": 2})).text


async def test_cards_show_text_of_others_as_text(web: httpx2.AsyncClient) -> None:
    elements = [
        {"type": "mrkdwn", "text": HOSTILE},
        {"type": "image", "image_url": "https://x.example/", "alt_text": HOSTILE},
    ]
    button = {"type": "button", "text": {"type": "plain_text", "text": "<b>x"}, "url": 'https://x.example/"onclick="x'}
    blocks = [
        {"type": "header", "text": {"type": "plain_text", "text": HOSTILE}},
        block(HOSTILE, "mrkdwn"),
        block('*<javascript:alert(1)|x>* <https://x.example/"onmouseover="x|y> `<i>` ```<u>```', "mrkdwn"),
        {"type": "context", "elements": elements},
        {"type": "actions", "elements": [button]},
    ]
    assert (await web.post("/hooks/slack/desk", json={"text": HOSTILE, "blocks": blocks})).status_code == 200
    body = (
        {"type": "TextBlock", "text": f'{HOSTILE} [x](javascript:alert(1)) [y](https://x.example/"onclick="x)'},
        {"type": "TextBlock", "text": "&lt;script&gt;alert(1)&lt;/script&gt;", "size": '"><script>', "color": "x y"},
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": HOSTILE}]},
        {"type": "FactSet", "facts": [{"title": HOSTILE, "value": HOSTILE}]},
    )
    assert (await web.post("/hooks/teams/equipo", json=adaptive(*body))).status_code == 202
    for number in (1, 2):
        for tab in ("card", "json", "headers"):
            page = await web.get("/dev/inbox", params={"n": number, "tab": tab})
            assert page.status_code == 200
            Elements(page.text).assert_harmless()


async def test_half_characters_and_odd_forms_break_nothing(web: httpx2.AsyncClient) -> None:
    odd = b'{"text": "\\ud800 x \\u0002\\u00010\\u0003", "blocks": []}'
    assert (await web.post("/hooks/slack/desk", content=odd)).status_code == 200
    deep = b'{"text": "x", "more": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert (await web.post("/hooks/slack/desk", content=deep)).status_code == 400
    for path in ("/dev/inbox/messages", "/dev/inbox/messages/1", "/dev/inbox?n=1", "/dev/inbox?n=1&tab=json"):
        assert (await web.get(path)).status_code == 200
    for path in ("/dev/inbox?n=x&before=-1&q=%FF&tab=zzz", "/dev/inbox?n=99", "/dev/inbox/list?kind=zzz"):
        assert (await web.get(path)).status_code == 200


@pytest.mark.parametrize("path", ["/hooks/fax/x", "/hooks/slack/", "/hooks/slack/a/b", "/hooks/slack/%3Cb%3E"])
async def test_there_are_no_other_hooks(web: httpx2.AsyncClient, path: str) -> None:
    assert (await web.post(path, json={"text": "x"})).status_code == 404


async def test_a_test_can_wait_for_a_message(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    waiting = asyncio.create_task(web.get("/dev/inbox/messages", params={"after": 0, "name": "b", "wait": 20}))
    await web.post("/hooks/slack/a", json={"text": "not this one"})
    await web.post("/hooks/slack/b", json={"text": "this one"})
    found = (await asyncio.wait_for(waiting, 5)).json()["messages"]
    assert [one["title"] for one in found] == ["this one"]
    nothing = (await web.get("/dev/inbox/messages", params={"after": 2, "wait": 0.05})).json()
    assert nothing["messages"] == []


async def test_five_thousand_messages_are_paged(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    for number in range(5000):
        inbox.box.add(
            "slack", f"c{number % 7}", 1.0, b"{}", (), title=f"m{number}", delivery_id=None, commitment_id=None
        )
    first = (await web.get("/dev/inbox", params={"name": "c3"})).text
    assert first.count("data-n=") == 100
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert older
    second = (await web.get(older[1].replace("&amp;", "&"))).text
    assert second.count("data-n=") == 100
    assert not set(re.findall(r'data-n="(\d+)"', first)) & set(re.findall(r'data-n="(\d+)"', second))
    assert len((await web.get("/dev/inbox/arrivals")).json()) == 5000
    assert len((await web.get("/dev/inbox/arrivals", params={"after": 4990})).json()) == 10
    unchanged = await web.get("/dev/inbox/list")
    again = await web.get("/dev/inbox/list", headers={"If-None-Match": unchanged.headers["etag"]})
    assert again.status_code == 304
    assert (await web.delete("/dev/inbox/messages")).json() == {"forgotten": 5000}
    assert (await web.get("/dev/inbox/arrivals")).json() == []


async def test_memory_is_bounded_by_number_and_by_bytes() -> None:
    def add(box: Box, body: bytes) -> None:
        box.add("slack", "c", 1.0, body, (), title="t", delivery_id=str(box.last), commitment_id=None)

    by_number, by_bytes = Box(keep_messages=3, keep_arrivals=5), Box(keep_bytes=1000)
    for _ in range(10):
        add(by_number, b"x")
        add(by_bytes, b"x" * 400)
    assert ([m.number for m in by_number.messages], by_number.dropped) == ([8, 9, 10], 7)
    assert ([m.number for m in by_bytes.messages], by_bytes.dropped) == ([9, 10], 8)
    assert (len(by_number.arrivals()), by_number.arrivals_dropped) == (5, 5)
    assert len(by_number.arrivals(after=9)) == 1
    assert by_number.names == {("slack", "c"): 3}
    assert None is by_number.get(7)
    assert [m.number for m in by_number.after(8, MessageFilter())] == [9, 10]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", GOLDEN)
async def test_what_the_notifier_writes_is_taken_and_recognised(
    inbox: Inbox, web: httpx2.AsyncClient, name: str, language: str
) -> None:
    view, inbox_hooks = GOLDEN[name], inbox.hooks
    inbox_hooks.trust("r", SECRET)
    for channel in ("slack", "teams", "webhook"):
        body = posted(view, channel, language)
        headers = signed(body.decode()) if channel == "webhook" else {}
        said = await web.post(f"/hooks/{channel}/r", content=body, headers=headers)
        assert said.status_code in (200, 202, 204), said.text
    await post_mail(inbox, mailed(view, language))
    own, commitment = str(reader().delivery_id), view.data.commitment.id
    for kept in inbox.box.messages:
        assert kept.commitment_id == commitment
        assert kept.delivery_id == own or kept.kind == "webhook"
        page = await web.get("/dev/inbox", params={"n": kept.number})
        Elements(page.text).assert_harmless()
    checks = (await web.get("/dev/inbox", params={"n": 4, "tab": "checks"})).text
    assert 'class="bad"' not in checks


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("*bold* _it_ ~no~", "<b>bold</b> <i>it</i> <s>no</s>"),
        ("2*3*4 a_b_c", "2*3*4 a_b_c"),
        ("&lt;b&gt; &amp;amp;", "&lt;b&gt; &amp;amp;"),
        ("`*code*`", "<code>*code*</code>"),
        ("<!here>", '<mark class="mention">@here</mark>'),
        ("<javascript:x|y>", "y"),
    ],
)
def test_slack_marks(source: str, drawn: str) -> None:
    assert drawn == markup.slack_mrkdwn(source)


@pytest.mark.parametrize(
    ("source", "drawn"),
    [
        ("**bold** _it_ *it*", "<b>bold</b> <i>it</i> <i>it</i>"),
        (r"\*not\* \_it\_ \[x\](y)", "*not* _it_ [x](y)"),
        ("&lt;b> & <i>", "&lt;b&gt; &amp; &lt;i&gt;"),
        ("[x](javascript:y)", "x"),
    ],
)
def test_teams_marks(source: str, drawn: str) -> None:
    assert drawn == markup.teams_markdown(source)


def test_links_are_judged() -> None:
    mail = letter(List_Unsubscribe="<https://x.example/u>, <mailto:u@x.example>")
    mail.get_payload(1).set_content(  # type: ignore[union-attr]
        '<a href="javascript:x">a</a><a href="https://evil.example/">https://gob.example/</a><a href="http://x.example/">b</a>',
        subtype="html",
    )
    grades = {check.what: check.grade for check in mails.checks(mails.read(mail.as_bytes()))}
    assert {
        "javascript:x": "bad",
        "https://evil.example/": "bad",
        "http://x.example/": "warning",
    }.items() <= grades.items()
    assert grades["One-click unsubscribing (RFC 8058)"] == "bad"
    assert grades["List-Unsubscribe"] == "good"


async def test_links_are_asked_when_wished(inbox: Inbox, web: httpx2.AsyncClient) -> None:
    here = f"http://127.0.0.1:{inbox.http_port}"
    found = {answer.url: answer.status for answer in await links.ask([f"{here}/dev/inbox", f"{here}/no", "mailto:x@y"])}
    assert {f"{here}/dev/inbox": 200, f"{here}/no": 404} == found
    await post_mail(inbox, letter(List_Unsubscribe=f"<{here}/dev/inbox>"))
    refused = await web.post("/dev/inbox/messages/1/links", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert f"{here}/dev/inbox" in (await web.post("/dev/inbox/messages/1/links")).text


def test_a_calendar_is_unfolded() -> None:
    text = "BEGIN:VEVENT\nSUMMARY:One\\, tw\n o\nDTSTART;VALUE=DATE:20211231\nEND:VEVENT\n"
    assert calendars.events(text) == [[("SUMMARY", "One, two"), ("DTSTART (VALUE=DATE)", "20211231")]]


def test_verdicts_are_types() -> None:
    assert isinstance(slack.judge({}, b'{"text": "x"}'), AcceptedPost)
    assert isinstance(teams.judge({}, b"{}"), RefusedPost)


def test_as_a_process_it_listens_and_ends_at_once() -> None:
    environment = {**os.environ, "INBOX_SMTP_PORT": "0", "HTTP_PORT": "0"}
    command = [sys.executable, "-m", "deploy.embedded.inbox"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True) as process:
        assert process.stdout
        ports = json.loads(process.stdout.readline())
        try:
            assert httpx2.get(f"http://127.0.0.1:{ports['http']}/readyz", trust_env=False).status_code == 200
            with smtplib.SMTP("127.0.0.1", ports["smtp"], timeout=10) as smtp:
                assert smtp.noop()[0] == 250
                began = time.monotonic()
                process.send_signal(signal.SIGTERM)
                assert process.wait(10) == 0
                assert time.monotonic() - began < 5
                smtp.close()
        finally:
            process.kill()

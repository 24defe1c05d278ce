"""A Workflows webhook of Microsoft Teams: a message with Adaptive Cards, at most version 1.5.

Teams itself queues almost anything with 202 and fails later, unseen, in the flow's run history; we refuse at once what
would have failed there. Elements: https://adaptivecards.io/explorer.
"""

import json
from collections.abc import Mapping
from typing import Any

from deploy.embedded.inbox import identities
from deploy.embedded.inbox.verdicts import AcceptedPost, RefusedPost, Verdict, title_of

LARGEST = 28 * 1024
"""Bytes of a message, as documented."""
DEEPEST = 16
"""Levels of containers; nobody's card has more."""
ACTIONS = 6
"""Buttons that Teams shows in one set; the rest would be lost."""
CARD = "application/vnd.microsoft.card.adaptive"

_REQUIRED: Mapping[str, tuple[str, type]] = {
    "TextBlock": ("text", str),
    "RichTextBlock": ("inlines", list),
    "FactSet": ("facts", list),
    "Container": ("items", list),
    "ColumnSet": ("columns", list),
    "Column": ("items", list),
    "ActionSet": ("actions", list),
    "Image": ("url", str),
    "Table": ("rows", list),
}
_WITHIN = {"Container": "items", "ColumnSet": "columns", "Column": "items"}
_ACTIONS = ("Action.OpenUrl", "Action.ShowCard", "Action.ToggleVisibility", "Action.Submit", "Action.Execute")


class _BrokenCard(Exception):
    """A card that Teams would not show."""


def judge(headers: Mapping[bytes, bytes], body: bytes) -> Verdict:
    """Say what Teams would, or what its flow would find later."""
    if len(body) > LARGEST:
        return RefusedPost(413, b"", f"{len(body)} bytes; at most {LARGEST}")
    try:
        text = body.decode()
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        return RefusedPost(400, b"", f"no JSON: {error}"[:200])
    try:
        card = _check_message(payload)
    except _BrokenCard as error:
        return RefusedPost(400, b"", str(error))
    delivery, commitment = identities.of_teams(headers, card, text)
    return AcceptedPost(202, b"", title_of(_title(card)), delivery, commitment)


def _title(card: Mapping[str, Any]) -> str:
    if isinstance(card.get("fallbackText"), str) and card["fallbackText"]:
        return str(card["fallbackText"])
    texts = [block["text"] for block in card["body"] if block["type"] == "TextBlock"]
    return str(texts[0]) if texts else "(a card without a text)"


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise _BrokenCard(what[:200])


def _check_message(payload: Any) -> Mapping[str, Any]:
    _need(isinstance(payload, dict) and payload.get("type") == "message", 'type is not "message"')
    attachments = payload.get("attachments")
    _need(isinstance(attachments, list) and len(attachments) > 0, "no attachments")
    for at, attachment in enumerate(attachments):
        where = f"attachments[{at}]"
        _need(isinstance(attachment, dict), f"{where} is no object")
        _need(attachment.get("contentType") == CARD, f"{where}.contentType is {attachment.get('contentType')!r}")
        _check_card(attachment.get("content"), f"{where}.content")
    first: Mapping[str, Any] = attachments[0]["content"]
    return first


def _check_card(card: Any, where: str) -> None:
    _need(isinstance(card, dict) and card.get("type") == "AdaptiveCard", f"{where} is no AdaptiveCard")
    version = card.get("version")
    _need(version in ("1.0", "1.1", "1.2", "1.3", "1.4", "1.5"), f"{where}.version is {version!r}; Teams reads 1.5")
    _need(isinstance(card.get("body"), list), f"{where}.body is no list")
    for at, element in enumerate(card["body"]):
        _check_element(element, f"{where}.body[{at}]", 0)
    if "actions" in card:
        _check_actions(card["actions"], f"{where}.actions")


def _check_element(element: Any, where: str, depth: int) -> None:
    _need(depth <= DEEPEST, f"{where}: nested too deep")
    _need(isinstance(element, dict), f"{where} is no object")
    kind = element.get("type")
    _need(isinstance(kind, str) and kind in _REQUIRED, f"{where}: no element is called {kind!r}")
    key, form = _REQUIRED[kind]
    _need(isinstance(element.get(key), form), f"{where}.{key} is no {form.__name__}")
    match kind:
        case "FactSet":
            for fact in element["facts"]:
                told = isinstance(fact, dict) and isinstance(fact.get("title"), str)
                _need(told and isinstance(fact.get("value"), str), f"{where}: a fact has a title and a value")
        case "RichTextBlock":
            for run in element["inlines"]:
                told = isinstance(run, dict) and run.get("type") == "TextRun" and isinstance(run.get("text"), str)
                _need(isinstance(run, str) or told, f"{where}: an inline is a text or a TextRun")
        case "ActionSet":
            _check_actions(element["actions"], where)
        case _ if within := _WITHIN.get(kind):
            for at, inner in enumerate(element[within]):
                if isinstance(inner, dict) and kind == "ColumnSet":
                    inner.setdefault("type", "Column")
                _check_element(inner, f"{where}.{within}[{at}]", depth + 1)


def _check_actions(actions: Any, where: str) -> None:
    _need(isinstance(actions, list), f"{where} is no list")
    _need(len(actions) <= ACTIONS, f"{where}: {len(actions)} actions; Teams shows {ACTIONS}")
    for at, action in enumerate(actions):
        _need(isinstance(action, dict) and action.get("type") in _ACTIONS, f"{where}[{at}]: unknown action")
        _need(isinstance(action.get("title"), str) and bool(action["title"]), f"{where}[{at}] has no title")
        if action["type"] == "Action.OpenUrl":
            url = action.get("url")
            _need(isinstance(url, str) and url.startswith(("https://", "http://", "mailto:")), f"{where}[{at}].url")

"""Slack's incoming webhook: what it accepts and how it refuses.

Rules: https://docs.slack.dev/reference/block-kit/blocks and .../messaging/sending-messages-using-incoming-webhooks.
Slack itself answers only `invalid_blocks`; the reason is for our own page.
"""

import json
from collections.abc import Mapping
from typing import Any

from deploy.embedded.inbox import identities
from deploy.embedded.inbox.verdicts import AcceptedPost, RefusedPost, Verdict, title_of

BLOCKS, HEADER, TEXT, FIELD, FIELDS = 50, 150, 3000, 2000, 10
CONTEXT_ELEMENTS, ACTIONS, BUTTON, URL, VALUE, IDENTIFIER = 10, 25, 75, 3000, 2000, 255
UNCHECKED = ("markdown", "table", "video")
"""Blocks that a message may hold, and that we neither send nor look into."""
RICH_TEXT = ("rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted")


class _BrokenBlock(Exception):
    """A block that Slack would refuse."""


def judge(headers: Mapping[bytes, bytes], body: bytes) -> Verdict:
    """Say what Slack would."""
    try:
        text = body.decode()
        payload = json.loads(text)
    except (ValueError, RecursionError) as error:
        return RefusedPost(400, b"invalid_payload", f"no JSON: {error}"[:200])
    if not isinstance(payload, dict):
        return RefusedPost(400, b"invalid_payload", "not a JSON object")
    blocks = payload.get("blocks")
    fallback = payload.get("text")
    if not blocks and not (isinstance(fallback, str) and fallback):
        return RefusedPost(400, b"no_text", "neither text nor blocks")
    try:
        _check_blocks(blocks if blocks is not None else [])
    except _BrokenBlock as error:
        return RefusedPost(400, b"invalid_blocks", str(error))
    delivery, commitment = identities.of_slack(headers, payload, text)
    return AcceptedPost(200, b"ok", title_of(_title(payload)), delivery, commitment)


def _title(payload: Mapping[str, Any]) -> str:
    if isinstance(payload.get("text"), str) and payload["text"]:
        return unescaped(payload["text"])
    for block in payload["blocks"]:
        if block["type"] == "header":
            return unescaped(block["text"]["text"])
    return "(blocks without a text)"


def unescaped(text: str) -> str:
    """Slack's three escapes undone."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _need(holds: bool, what: str) -> None:
    if not holds:
        raise _BrokenBlock(what)


def _check_blocks(blocks: Any) -> None:
    _need(isinstance(blocks, list), "blocks is no list")
    _need(len(blocks) <= BLOCKS, f"{len(blocks)} blocks; at most {BLOCKS}")
    seen = set()
    for at, block in enumerate(blocks):
        where = f"blocks[{at}]"
        _need(isinstance(block, dict), f"{where} is no object")
        kind = block.get("type")
        if name := block.get("block_id"):
            _need(isinstance(name, str) and len(name) <= IDENTIFIER, f"{where}: block_id is too long")
            _need(name not in seen, f"{where}: block_id {name} is there twice")
            seen.add(name)
        match kind:
            case "header":
                _check_text(block.get("text"), HEADER, f"{where}.text", plain=True)
            case "section":
                _check_section(block, where)
            case "context":
                _check_context(block, where)
            case "actions":
                _check_actions(block, where)
            case "image":
                _check_image(block, where)
            case "rich_text":
                _check_rich_text(block.get("elements"), f"{where}.elements")
            case "divider":
                pass
            case _ if kind in UNCHECKED:
                pass
            case _:
                raise _BrokenBlock(f"{where}: no block is called {kind!r}"[:200])


def _check_text(text: Any, limit: int, where: str, *, plain: bool = False) -> None:
    _need(isinstance(text, dict), f"{where} is no text object")
    kind = text.get("type")
    _need(kind == "plain_text" if plain else kind in ("plain_text", "mrkdwn"), f"{where}: type {kind!r}"[:200])
    words = text.get("text")
    _need(isinstance(words, str), f"{where} has no text")
    _need(1 <= len(words) <= limit, f"{where}: {len(words)} characters; 1 to {limit}")
    _need("emoji" not in text or kind == "plain_text", f"{where}: only plain_text takes emoji")
    _need("verbatim" not in text or kind == "mrkdwn", f"{where}: only mrkdwn takes verbatim")


def _check_section(block: Mapping[str, Any], where: str) -> None:
    text, fields = block.get("text"), block.get("fields")
    _need(text is not None or fields is not None, f"{where} has neither text nor fields")
    if text is not None:
        _check_text(text, TEXT, f"{where}.text")
    if fields is not None:
        _need(isinstance(fields, list) and 1 <= len(fields) <= FIELDS, f"{where}: 1 to {FIELDS} fields")
        for at, field in enumerate(fields):
            _check_text(field, FIELD, f"{where}.fields[{at}]")
    if (accessory := block.get("accessory")) is not None:
        _check_element(accessory, f"{where}.accessory")


def _check_context(block: Mapping[str, Any], where: str) -> None:
    elements = block.get("elements")
    _need(isinstance(elements, list) and 1 <= len(elements) <= CONTEXT_ELEMENTS, f"{where}: 1 to 10 elements")
    for at, element in enumerate(elements or []):
        if isinstance(element, dict) and element.get("type") == "image":
            _check_image(element, f"{where}.elements[{at}]")
        else:
            _check_text(element, TEXT, f"{where}.elements[{at}]")


def _check_actions(block: Mapping[str, Any], where: str) -> None:
    elements = block.get("elements")
    _need(isinstance(elements, list) and 1 <= len(elements) <= ACTIONS, f"{where}: 1 to {ACTIONS} elements")
    seen = set()
    for at, element in enumerate(elements or []):
        _check_element(element, f"{where}.elements[{at}]")
        if name := element.get("action_id"):
            _need(name not in seen, f"{where}: action_id {name} is there twice")
            seen.add(name)


def _check_rich_text(elements: Any, where: str, *, within: tuple[str, ...] = RICH_TEXT) -> None:
    """Sections of texts and links, and lists of such sections: the part of it that we know."""
    _need(isinstance(elements, list) and len(elements) > 0, f"{where} is empty")
    for at, element in enumerate(elements):
        place = f"{where}[{at}]"
        _need(isinstance(element, dict) and element.get("type") in within, f"{place}: unknown element")
        match element["type"]:
            case "rich_text_list":
                _need(element.get("style") in ("bullet", "ordered"), f"{place}.style")
                _check_rich_text(element.get("elements"), f"{place}.elements", within=("rich_text_section",))
            case "link" | "text" as kind:
                text, url = element.get("text"), element.get("url", "")
                _need(isinstance(text, str) and len(text) > 0, f"{place} has no text")
                _need(kind == "text" or (isinstance(url, str) and url.startswith("http")), f"{place}.url is no address")
            case _:
                _check_rich_text(element.get("elements"), f"{place}.elements", within=("text", "link"))


def _check_element(element: Any, where: str) -> None:
    _need(isinstance(element, dict), f"{where} is no object")
    match element.get("type"):
        case "button":
            _check_text(element.get("text"), BUTTON, f"{where}.text", plain=True)
            for key, limit in (("url", URL), ("value", VALUE), ("action_id", IDENTIFIER)):
                value = element.get(key, "")
                _need(isinstance(value, str) and len(value) <= limit, f"{where}.{key}: at most {limit} characters")
            if "url" in element:
                _need(element["url"].startswith(("https://", "http://", "mailto:")), f"{where}.url is no address")
            _need(element.get("style", "primary") in ("primary", "danger"), f"{where}.style")
        case "image":
            _check_image(element, where)
        case kind:
            raise _BrokenBlock(f"{where}: a webhook's message takes buttons and images, not {kind!r}"[:200])


def _check_image(image: Mapping[str, Any], where: str) -> None:
    alternative, url = image.get("alt_text"), image.get("image_url")
    _need(isinstance(alternative, str) and 1 <= len(alternative) <= 2000, f"{where}.alt_text: 1 to 2000 characters")
    _need(isinstance(url, str) and url.startswith("http") and len(url) <= URL, f"{where}.image_url is no address")
    if (title := image.get("title")) is not None:
        _check_text(title, 2000, f"{where}.title", plain=True)

"""The formatting of Slack and of Teams, drawn as HTML in which nothing of the sender's is markup.

Both work alike: what must not be touched again (code, links) is taken out first, the rest is escaped, emphasis is
marked in the escaped text, and what was taken out is put back.
"""

import html
import re
from collections.abc import Callable

from markupsafe import Markup, escape

from deploy.embedded.inbox.slack import unescaped
from deploy.embedded.inbox.verdicts import shown

_KEPT = re.compile("\x02(\\d+)\x03")
_LINKED = ("https://", "http://", "mailto:")

_SLACK_WHOLE = re.compile(r"```(?P<block>.+?)```|`(?P<code>[^`\n]+)`|<(?P<angle>[^<>\n]+)>", re.DOTALL)
_SLACK_MARKS = (
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w~])~(?=\S)([^~\n]+)(?<=\S)~(?![\w~])"), r"<s>\1</s>"),
    (re.compile(r"^&gt; ?(.*)$", re.MULTILINE), r"<q>\1</q>"),
)
_MENTION = re.compile(r"[@#!][A-Za-z0-9^]+")

_TEAMS_WHOLE = re.compile(r"\\(?P<plain>[!-/:-@\[-`{-~])|\[(?P<label>(?:\\.|[^\[\]\\])*)\]\((?P<url>[^()\s]+)\)")
_TEAMS_MARKS = (
    (re.compile(r"\*\*(?=\S)(.+?)(?<=\S)\*\*"), r"<b>\1</b>"),
    (re.compile(r"__(?=\S)(.+?)(?<=\S)__"), r"<b>\1</b>"),
    (re.compile(r"(?<![\w*])\*(?=\S)([^*\n]+)(?<=\S)\*(?![\w*])"), r"<i>\1</i>"),
    (re.compile(r"(?<![\w_])_(?=\S)([^_\n]+)(?<=\S)_(?![\w_])"), r"<i>\1</i>"),
    (re.compile(r"^\s*[-+*] +(.*)$", re.MULTILINE), r"•&ensp;\1"),
)


def slack_plain(text: object) -> Markup:
    """A `plain_text` object: no formatting, the three escapes undone."""
    return escape(unescaped(shown(str(text))))


def slack_mrkdwn(text: object) -> Markup:
    """A `mrkdwn` object. A mention that would have pinged somebody is drawn as one, so that it is noticed."""
    kept: list[Markup] = []

    def take(found: re.Match[str]) -> str:
        if block := found["block"]:
            return _keep(kept, Markup("<pre>{}</pre>").format(unescaped(block.strip("\n"))))
        if code := found["code"]:
            return _keep(kept, Markup("<code>{}</code>").format(unescaped(code)))
        target, _, label = found["angle"].partition("|")
        target, label = unescaped(target), unescaped(label)
        if _MENTION.match(target):
            return _keep(kept, Markup('<mark class="mention">{}</mark>').format(label or f"@{target[1:]}"))
        return _keep(kept, _link(target, escape(label or target)))

    return _drawn(_SLACK_WHOLE.sub(take, shown(str(text))), unescaped, _SLACK_MARKS, kept)


def teams_markdown(text: object) -> Markup:
    """The subset of Markdown that a TextBlock and a fact take: emphasis, links, lists, backslashes, entities."""
    kept: list[Markup] = []

    def take(found: re.Match[str]) -> str:
        if plain := found["plain"]:
            return _keep(kept, escape(plain))
        label = html.unescape(re.sub(r"\\(.)", r"\1", found["label"]))
        return _keep(kept, _link(html.unescape(found["url"]), escape(label)))

    return _drawn(_TEAMS_WHOLE.sub(take, shown(str(text))), html.unescape, _TEAMS_MARKS, kept)


def _link(url: str, label: Markup) -> Markup:
    if not url.lower().startswith(_LINKED):
        return label
    return Markup('<a href="{}" target="_blank" rel="noopener noreferrer nofollow">{}</a>').format(url, label)


def _keep(kept: list[Markup], piece: Markup) -> str:
    kept.append(piece)
    return f"\x02{len(kept) - 1}\x03"  # `shown` lets no control character through, so nobody else can write this


def _drawn(
    text: str, decode: Callable[[str], str], marks: tuple[tuple[re.Pattern[str], str], ...], kept: list[Markup]
) -> Markup:
    escaped = str(escape(shown_again(decode(text))))
    for pattern, replacement in marks:
        escaped = pattern.sub(replacement, escaped)
    return Markup(_KEPT.sub(lambda found: str(kept[int(found[1])]), escaped))  # noqa: S704 - escaped above


def shown_again(text: str) -> str:
    """Text after decoding its entities, which may have written controls; our own two marks stay."""
    whole = text.encode("utf-8", "replace").decode()
    return "".join(c for c in whole if c in "\n\t\x02\x03" or not (c < " " or "\x7f" <= c <= "\x9f"))

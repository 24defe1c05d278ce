"""Which messages their reader sees as one conversation. Pure.

Mail programs don't agree on it, so there are two ways to look:

- `references`: by the first id in `References`, else by `In-Reply-To`, else by the mail's own id (Apple Mail,
  Thunderbird). A new subject does not part what belongs together.
- `subject`: by the subject without its "Re:" (Outlook, and every program whose mails have lost their references). Gmail
  asks for both: it parts a conversation of the first kind where the subject changes.

What is posted to a chat stands in its channel, in either way.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, get_args

from deploy.embedded.inbox.kept import Message

Grouping = Literal["references", "subject"]

GROUPINGS: tuple[Grouping, ...] = get_args(Grouping)

_ID = re.compile(r"<([^<>\s]+)>")
_REPLY = re.compile(r"(?:[A-Za-z]{2,3}|fwd|réf)(?:\[\d+\])?[ \u00a0]?: +", re.IGNORECASE)
"""`Re:`, `Fw:`, `RV:`, `TR :` and their like, as mail programs put them before a subject."""


@dataclass
class Conversation:
    """Messages to one receiver that belong together, the newest first; at least one."""

    messages: list[Message] = field(default_factory=list)

    @property
    def newest(self) -> Message:
        """The one that a list shows."""
        return self.messages[0]

    @property
    def key(self) -> int:
        """Names it among the conversations of a page: its first message."""
        return self.messages[-1].number


def thread_of(references: str, in_reply_to: str, message_id: str) -> str | None:
    """The id that a mail's conversation is known by, of its headers; None where it has none."""
    for header in (references, in_reply_to, message_id):
        if found := _ID.search(header):
            return found[1]
    return None


def bare_subject(subject: str) -> str:
    """A subject by which two mails are compared: without "Re:", in one case, with single spaces."""
    rest = " ".join(subject.split())
    while prefix := _REPLY.match(rest):
        rest = rest[prefix.end() :]
    return rest.casefold()


def conversations(messages: Iterable[Message], by: Grouping) -> list[Conversation]:
    """Messages, the newest first, in their conversations: that with the newest message first."""
    found: dict[tuple[str, str, str], Conversation] = {}
    for message in messages:
        found.setdefault((message.kind, message.name, _topic(message, by)), Conversation()).messages.append(message)
    return list(found.values())


def _topic(message: Message, by: Grouping) -> str:
    if message.kind != "email":
        return ""
    return bare_subject(message.title) if by == "subject" else message.thread or str(message.number)

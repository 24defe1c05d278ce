"""The channels: one object in one file for each, and the one mapping of them all.

A channel checks its addresses, lays out messages (escaping what others wrote and keeping to the receiver's limits), and
reads the receiver's answers. Nothing here sends: that is `transport/`, and a channel's type says which transport it
needs. A new channel is a file here, a line below, and its name in the contract's `Channel`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.notifier.channels.channel import MailedChannel, PostedChannel
from services.notifier.channels.email import Email
from services.notifier.channels.slack import Slack
from services.notifier.channels.teams import Teams
from services.notifier.channels.webhook import Webhook

AnyChannel = PostedChannel[Any] | MailedChannel[Any]
"""By the two transports that there are: a `match` on the type is complete, and mypy sees to it."""

CHANNELS: Mapping[str, AnyChannel] = MappingProxyType(
    {
        "email": Email(),
        "slack": Slack(),
        "teams": Teams(),
        "webhook": Webhook(),
    }
)
"""By the names that the contract's `Channel` has; a test holds the two together."""

FOR_PEOPLE = frozenset(name for name, channel in CHANNELS.items() if channel.is_for_people)
"""Those that somebody reads."""

MAILED = frozenset(name for name, channel in CHANNELS.items() if isinstance(channel, MailedChannel))
"""Those that share one mail server, however many addresses there are behind it."""

"""Who gets anything while a trial is on: the list that its operator keeps, and the rule that reads it. Pure.

An entry is a mail address, `@` and a domain, the host of webhooks of one's own, or the id of a subscription. None is a
secret: the address of a chat channel is one, so that a channel is named by its subscription's id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID

from services.notifier.channels import CHANNELS, MAILED
from services.notifier.channels.email import Email
from services.notifier.channels.mail_addresses import mail_address
from services.notifier.channels.ssrf_guard import UndeliverableAddress, is_host, normal_host
from services.notifier.delivery.platform_limits import PER_SECOND

_MAIL = Email()
_SHARED_HOSTS = tuple(name for name in PER_SECOND if name not in CHANNELS)
"""Hosts of chat platforms, at which everybody's channels are."""
LONGEST_ENTRY = 254


@dataclass(frozen=True)
class TrialAddresses:
    """Who is on the list."""

    mailboxes: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    hosts: frozenset[str] = frozenset()
    subscriptions: frozenset[UUID] = frozenset()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """Read a list whose entries are as `checked_entry` gives them."""
        mailboxes, domains, hosts, subscriptions = set(), set(), set(), set()
        for entry in entries:
            if entry.startswith("@"):
                domains.add(entry[1:])
            elif "@" in entry:
                mailboxes.add(entry)
            elif (id_ := _subscription(entry)) is not None:
                subscriptions.add(id_)
            else:
                hosts.add(entry)
        return cls(frozenset(mailboxes), frozenset(domains), frozenset(hosts), frozenset(subscriptions))

    def permits(self, subscription: UUID, channel: str, address: str) -> bool:
        """Whether a subscription of this channel and address gets anything during the trial."""
        if subscription in self.subscriptions:
            return True
        if channel not in CHANNELS:  # a row of a later release
            return False
        if channel in MAILED:
            mailbox = CHANNELS[channel].comparable_address(address)
            return mailbox in self.mailboxes or mailbox.rpartition("@")[2] in self.domains
        try:
            return normal_host(urlsplit(address).hostname or "") in self.hosts
        except ValueError:
            return False


def checked_entry(text: str) -> str:
    """An entry as it is kept; raises ValueError, which says what is wrong with it and does not quote it."""
    entry = text.strip().casefold()
    if (id_ := _subscription(entry)) is not None:
        return str(id_)
    if "/" in entry:
        raise ValueError("an address of the web may be a secret: name its host, or the subscription by its id")
    try:
        if entry.startswith("@"):
            return mail_address(f"anybody{entry}", smtputf8=True).casefold().removeprefix("anybody")
        if "@" in entry:
            return _MAIL.comparable_address(mail_address(entry, smtputf8=True))
    except UndeliverableAddress as error:
        raise ValueError(str(error)) from None
    host = normal_host(entry)
    if not is_host(host) or len(host) > LONGEST_ENTRY:
        raise ValueError("write a mail address, @ and a domain, a host, or the id of a subscription")
    if any(host == shared or host.endswith(f".{shared}") for shared in _SHARED_HOSTS):
        raise ValueError("everybody's channels are at this host: name the subscription by its id")
    return host


def masked_entry(entry: str) -> str:
    """An entry as logs may show it: a mailbox without what tells a person."""
    is_mailbox = "@" in entry and not entry.startswith("@")
    return _MAIL.masked_address(entry) if is_mailbox else entry


def _subscription(entry: str) -> UUID | None:
    try:
        return UUID(entry)
    except ValueError:
        return None

"""What channels, the states of deliveries and subscriptions, and their reasons are called where people read."""

from services.i18n.catalogue import N_
from services.i18n.names import name_in, word_in
from services.i18n.words import Words

CHANNELS = {
    "email": N_("E-mail"),
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "webhook": N_("Webhook"),
}

OUTCOMES = {
    "delivered": N_("Delivered"),
    "failed": N_("Failed"),
    "expired": N_("Expired"),
    "suppressed": N_("Suppressed"),
    "cancelled": N_("Cancelled"),
}

DELIVERY_STATES = {
    **OUTCOMES,
    "pending": N_("Waiting"),
    "sending": N_("On its way"),
}

SUBSCRIPTION_STATES = {
    "active": N_("Active"),
    "paused": N_("Paused"),
    "ended": N_("Ended"),
    "disabled": N_("Switched off"),
}

END_REASONS = {
    "unsubscribed": N_("by the link in a message"),
    "ended-by-owner": N_("by whoever set it up"),
}
"""Why a subscription ended; it may be one of the delivery's reasons as well."""

DELIVERY_REASONS = {
    "timeout": N_("no answer in time"),
    "name-not-resolved": N_("host name unknown"),
    "connection-failed": N_("no connection"),
    "tls-failed": N_("no secure connection"),
    "connection-lost": N_("connection lost"),
    "address-not-allowed": N_("address not allowed"),
    "redirect-not-followed": N_("redirect not followed"),
    "gone": N_("address no longer exists"),
    "refused": N_("refused by the receiver"),
    "throttled": N_("too many messages for the receiver"),
    "temporarily-unavailable": N_("receiver not available"),
    "recipient-refused": N_("recipient refused"),
    "fault-on-our-side": N_("a fault on our side"),
    "can-not-be-rendered": N_("no message can be made of it"),
    "lease-ran-out": N_("interrupted; sent again"),
    "overtaken": N_("newer news has been told instead"),
    "subscription-disabled": N_("the subscription is switched off"),
    "subscription-paused": N_("the subscription is paused"),
    "subscription-ended": N_("the subscription has ended"),
    "not-after-passed": N_("too late to be of use"),
    "digest-missed": N_("its digest could not go out for a week"),
    "attempts-exhausted": N_("tried often enough"),
    "paused": N_("the subscription was paused"),
    "dropped-after-restore": N_("dropped after a backup was restored"),
    "only-in-digests": N_("it stands behind the last reminder, and only digests tell it"),
}
"""Why something was not delivered."""


def channel_name(channel: str, words: Words) -> str:
    """A channel's name; those of products are the same in every language."""
    return word_in(CHANNELS, channel, words)


def delivery_state(state: str, words: Words) -> str:
    """How a delivery stands, or how it ended."""
    return word_in(DELIVERY_STATES, state, words)


def subscription_state(state: str, words: Words) -> str:
    """How a subscription stands."""
    return word_in(SUBSCRIPTION_STATES, state, words)


def reason_name(reason: str, words: Words) -> str:
    """Why something was not delivered, or why a subscription ended."""
    return name_in(END_REASONS | DELIVERY_REASONS, reason, words)

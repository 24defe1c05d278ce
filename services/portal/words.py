"""The names of the vocabulary's words, to be translated; statuses, strengths, themes and the like share one table.

`_` only marks a message for extraction; `Voice.name_of` says it.
"""


def _(message: str) -> str:
    return message


NAMES = {
    # statuses
    "announced": _("Announced"),
    "in-progress": _("In progress"),
    "at-risk": _("At risk"),
    "met": _("Met"),
    "partly-met": _("Partly met"),
    "missed": _("Missed"),
    "withdrawn": _("Withdrawn"),
    # strengths
    "commit": _("Firm commitment"),
    "intend": _("Intention"),
    "reaffirm": _("Reaffirmation"),
    "support": _("Support"),
    "invite": _("Invitation"),
    # readings of a wording
    "on": _("it happens then"),
    "by": _("to be done when this ends"),
    "during": _("to be done in the course of this"),
    "from": _("it begins then and has no end"),
    "recurring": _("it comes again and again"),
    "undated": _("the words give no date"),
    # themes of the first statement
    "climate": _("Climate action"),
    "democracy": _("Democracy and human rights"),
    "development": _("Development cooperation"),
    "dialogue": _("North American dialogue"),
    "digital": _("Cyberspace and digital access"),
    "energy": _("Energy"),
    "equity": _("Equity and inclusion"),
    "health": _("Health"),
    "migration": _("Migration and protection"),
    "nature": _("Nature and oceans"),
    "security": _("Security and disaster response"),
    "small-business": _("Small and medium enterprises"),
    "supply-chains": _("Supply chains"),
    "trade": _("Trade and investment"),
    "transport": _("Transportation"),
    "work": _("Labor rights and skills"),
    # channels
    "email": _("E-mail"),
    "slack": "Slack",
    "teams": "Microsoft Teams",
    "webhook": _("Webhook"),
    # outcomes, and states on the way there
    "delivered": _("Delivered"),
    "failed": _("Failed"),
    "expired": _("Expired"),
    "suppressed": _("Suppressed"),
    "cancelled": _("Cancelled"),
    "pending": _("Waiting"),
    "sending": _("On its way"),
    # states of a subscription
    "active": _("Active"),
    "paused": _("Paused"),
    "ended": _("Ended"),
    "disabled": _("Switched off"),
    # levels that are asked about what is overdue
    "focal-point": _("Focal point"),
    "director": _("Director"),
    "ministers-office": _("Minister’s office"),
    # why it ended
    "unsubscribed": _("by the link in a mail"),
    "ended-by-owner": _("by whoever set it up"),
    # why not
    "timeout": _("no answer in time"),
    "name-not-resolved": _("host name unknown"),
    "connection-failed": _("no connection"),
    "tls-failed": _("no secure connection"),
    "connection-lost": _("connection lost"),
    "address-not-allowed": _("address not allowed"),
    "redirect-not-followed": _("redirect not followed"),
    "gone": _("address no longer exists"),
    "refused": _("refused by the receiver"),
    "throttled": _("too many messages for the receiver"),
    "temporarily-unavailable": _("receiver not available"),
    "recipient-refused": _("recipient refused"),
    "fault-on-our-side": _("a fault on our side"),
    "lease-ran-out": _("interrupted; sent again"),
    "subscription-disabled": _("the subscription is switched off"),
    "subscription-paused": _("the subscription is paused"),
    "subscription-ended": _("the subscription has ended"),
    "not-after-passed": _("too late to be of use"),
    "attempts-exhausted": _("tried often enough"),
    # events
    "commitment-created": _("New commitment"),
    "milestone-scheduled": _("Date"),
    "milestone-due": _("Reminder"),
    "milestone-escalated": _("Escalation"),
    "status-changed": _("Status"),
    "consistency-flagged": _("Does not agree"),
    "delivery-settled": _("People told"),
    # changes of a schedule
    "first": _("first date"),
    "moved": _("moved"),
    "more-precise": _("more precise"),
    "held": _("took place"),
    # and "cancelled", which is above
}

FOLLOWED = {
    "commitment-created": _("new commitments"),
    "milestone-scheduled": _("dates that are set or moved"),
    "milestone-due": _("reminders of what is due"),
    "milestone-escalated": _("what is overdue and owned by nobody"),
    "status-changed": _("changes of status"),
    "consistency-flagged": _("what does not agree in the register"),
}
"""What a subscription asks for, by the event's topic."""

SEASONS = {
    "21": _("spring"),
    "22": _("summer"),
    "23": _("autumn"),
    "24": _("winter"),
}
"""EDTF level 1 seasons, by the two digits in the month's place."""

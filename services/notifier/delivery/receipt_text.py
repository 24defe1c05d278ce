"""What a receipt says, in a sentence for whoever asks why something came or didn't. Pure."""

from services.i18n.catalogue import N_
from services.i18n.delivery_names import DELIVERY_REASONS, reason_name
from services.i18n.words import Words
from services.notifier.delivery import receipts
from services.notifier.delivery.receipts import Receipt

RULES = {
    receipts.SENDING: N_("It is on its way."),
    receipts.BEHIND: N_("Something older about the same commitment has to arrive first."),
    receipts.RETRY: N_("It could not be delivered yet and is tried again."),
    receipts.THROTTLED: N_("The receiver has asked to wait."),
    "window": N_("What belongs together goes out together."),
    "digest": N_("The subscription asks for a digest."),
    "quiet-hours": N_("These are the subscription’s quiet hours."),
    "holiday": N_("It is no business day for this subscription."),
    "mute": N_("The reader has muted it for a time."),
    "silence": N_("An operator or a ministry has silenced it for a time."),
    "stopped": N_("All sending is stopped."),
    "trial": N_("This is a trial: only addresses that were chosen for it are told anything."),
}
"""Why something waits. A rule of a later release has no sentence here."""

LEFT_OUT = {
    "events": N_("The subscription does not ask for this kind of event."),
    "parties": N_("The event is about none of the parties that the subscription asks for."),
    "themes": N_("The event is about none of the themes that the subscription asks for."),
    "sections": N_("The event belongs to none of the sections that the subscription asks for."),
    "commitments": N_("The event is about none of the commitments that the subscription asks for."),
    "own-ladder": N_(
        "A reminder by somebody’s own ladder is for them alone, and who has a ladder gets no other reminders."
    ),
    "level": N_("An escalation goes to its level, and the subscription has another one or none."),
    "history": N_("It has only its place in a history and is no news to anybody."),
    "by-name": N_("It goes only to subscriptions that name this kind of event."),
    receipts.NEWER: N_("The subscription was made after the event."),
    receipts.STATE: N_("The subscription had ended or was switched off when the event came."),
    receipts.OLDER: N_("The event is of an older release and can’t be read any more."),
}
"""Why an event owes a subscription nothing."""


def receipt_text(receipt: Receipt, words: Words, zone: str) -> str:
    """A sentence or two; times are those of the zone."""
    match receipt.outcome:
        case "waiting":
            return _joined(_waits(receipt, words, zone), _rule(receipt, words))
        case "delivered":
            return _joined(_at(words.gettext("Delivered %(when)s."), receipt, words, zone), _together(receipt, words))
        case "not-owed":
            why = receipt.left_out_by or ((receipt.rule,) if receipt.rule else ())
            sentences = (words.gettext(LEFT_OUT[name]) for name in why if name in LEFT_OUT)
            newer = [words.gettext(LEFT_OUT[receipts.NEWER])] if receipt.rule == receipts.NEWER and why else []
            return _joined(words.gettext("Not sent."), *dict.fromkeys([*newer, *sentences]))
        case "failed":
            ended = words.gettext("Given up %(when)s: %(reason)s.")
        case "expired":
            ended = words.gettext("Not sent: it expired %(when)s (%(reason)s).")
        case "suppressed":
            ended = words.gettext("Not sent, decided %(when)s: %(reason)s.")
        case "cancelled":
            ended = words.gettext("Not sent: cancelled %(when)s (%(reason)s).")
    return _joined(_at(ended, receipt, words, zone), _together(receipt, words))


def _joined(*sentences: str) -> str:
    return " ".join(filter(None, sentences))


def _at(sentence: str, receipt: Receipt, words: Words, zone: str) -> str:
    when = words.moment(receipt.at, zone) if receipt.at else words.gettext("at an unknown time")
    return sentence % {"when": when, "reason": reason_name(receipt.reason, words) if receipt.reason else "?"}


def _waits(receipt: Receipt, words: Words, zone: str) -> str:
    if receipt.until is None:
        return words.gettext("It waits.")
    return words.gettext("It waits until %(when)s.", when=words.moment(receipt.until, zone))


def _rule(receipt: Receipt, words: Words) -> str:
    sentence = words.gettext(RULES[receipt.rule]) if receipt.rule in RULES else ""
    if receipt.reason in DELIVERY_REASONS and receipt.rule in (receipts.RETRY, receipts.THROTTLED):
        return f"{sentence} ({reason_name(receipt.reason, words)})"
    return sentence


def _together(receipt: Receipt, words: Words) -> str:
    """That it was not alone in its message; nothing for one that was."""
    if not receipt.others:
        return ""
    return words.ngettext(
        "One message told it together with %(number)s more: %(message)s.",
        "One message told it together with %(number)s more: %(message)s.",
        receipt.others,
        message=receipt.message,
    )

"""What each route that changes something writes into the audit log of its service; or why it writes nothing."""

from collections.abc import Mapping

AUDITED: Mapping[tuple[str, str, str], str] = {
    ("registry", "POST", "/statements/import"): "statement.imported",
    ("registry", "PUT", "/statements/{statement_id}/reading-policy"): "statement.read-otherwise",
    ("registry", "POST", "/commitments"): "commitment.created",
    ("registry", "POST", "/commitments/{commitment_id}/status-updates"): "status.updated",
    ("registry", "POST", "/status-updates"): "status.updated",
    ("registry", "POST", "/commitments/{commitment_id}/assessments"): "commitment.assessed",
    ("registry", "PUT", "/milestones/{milestone_id}/schedule"): "milestone.scheduled",
    ("registry", "POST", "/anchors"): "anchor.created",
    ("registry", "PUT", "/anchors/{anchor_id}"): "anchor.moved",
    ("registry", "POST", "/anchors/{anchor_id}/outcome"): "anchor.held",
    ("registry", "POST", "/ministries"): "ministry.entered",
    ("registry", "PUT", "/ministries/{code}"): "ministry.changed",
    ("registry", "POST", "/keys"): "api-key.issued",
    ("registry", "DELETE", "/keys/{key_id}"): "api-key.revoked",
    ("scheduler", "PUT", "/ladders"): "ladders.applied",
    ("scheduler", "POST", "/milestones/{milestone_id}/acknowledgements"): "milestone.acknowledged",
    ("scheduler", "POST", "/acknowledgement-links/{token}"): "milestone.acknowledged",
    ("scheduler", "POST", "/feeds"): "feed.created",
    ("scheduler", "DELETE", "/feeds/{id_}"): "feed.revoked",
    ("scheduler", "POST", "/feeds/{id_}/rotate"): "feed.rotated",
    ("notifier", "POST", "/subscriptions"): "subscription.created",
    ("notifier", "PATCH", "/subscriptions/{id_}"): "subscription.changed",
    ("notifier", "DELETE", "/subscriptions/{id_}"): "subscription.ended",
    ("notifier", "POST", "/unsubscribe/{token}"): "subscription.ended",
    ("notifier", "POST", "/silences"): "silence.added",
    ("notifier", "DELETE", "/silences/{id_}"): "silence.ended",
    ("notifier", "POST", "/sending/stop"): "sending.stopped",
    ("notifier", "POST", "/sending/start"): "sending.started",
    ("notifier", "POST", "/trial/end"): "trial.ended",
    ("notifier", "PATCH", "/subscription-links/{token}"): "subscription.changed",
    ("notifier", "DELETE", "/subscription-links/{token}"): "subscription.ended",
    ("notifier", "POST", "/undo-links/{token}"): "subscription.changed",
}

CHANGES_NOTHING: Mapping[tuple[str, str, str], str] = {
    ("registry", "POST", "/wordings/read"): "reads words, and keeps nothing",
    ("portal", "POST", "/subscriptions/{token}"): "hands it to the notifier, which audits it",
    ("portal", "POST", "/subscriptions/{token}/stop"): "hands it to the notifier, which audits it",
    ("portal", "POST", "/undo/{token}"): "hands it to the notifier, which audits it",
    ("portal", "POST", "/lost-link"): "hands it to the notifier, which mails what is there, and changes nothing",
    ("notifier", "POST", "/link-requests"): "asks for a mail to who is subscribed; what is kept is a hash, for a day",
    ("portal", "POST", "/on-it/{token}"): "hands it to the scheduler, which audits it",
    (
        "scheduler",
        "POST",
        "/holds",
    ): "the registry's word before it commits a date, which it audits itself",
}


def actions_of(service: str) -> set[str]:
    """Every action that the routes of a service write."""
    return {action for (of, _, _), action in AUDITED.items() if of == service}

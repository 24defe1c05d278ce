"""The notifier's whole HTTP interface, put together from the routes of each resource."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI

from services.i18n.words import answer_language
from services.notifier.channels.ssrf_guard import AllowList
from services.notifier.delivery.cancellation import cancel_waiting
from services.notifier.delivery.log import DeliveryLog
from services.notifier.delivery.receipt_routes import receipt_router
from services.notifier.delivery.resuming import resume_deferred
from services.notifier.delivery.routes import delivery_router
from services.notifier.delivery.sending_routes import sending_router
from services.notifier.delivery.trial_routes import trial_router
from services.notifier.notices.link_request_routes import link_request_router
from services.notifier.notices.link_requests import LinkRequests
from services.notifier.notices.shared_changes import SharedChanges
from services.notifier.notices.undo_routes import undo_router
from services.notifier.rendering.page_links import PageLinks
from services.notifier.silences.routes import silence_router
from services.notifier.silences.store import SilenceStore
from services.notifier.subscriptions.acknowledgement_links import AcknowledgementTokens, acknowledgement_link_router
from services.notifier.subscriptions.destinations import Destinations
from services.notifier.subscriptions.link_routes import link_router
from services.notifier.subscriptions.routes import subscription_router
from services.notifier.subscriptions.signed_ids import SignedIds
from services.notifier.subscriptions.store import SubscriptionStore
from services.notifier.subscriptions.subscription_links import SubscriptionLinks
from services.notifier.subscriptions.unsubscribe_links import UnsubscribeLinks
from services.notifier.subscriptions.unsubscribe_routes import unsubscribe_router
from services.plumbing.audit.keyed_hash import WITHHELD, KeyedHash
from services.plumbing.audit.refused_attempts import RefusedAttempts
from services.plumbing.clock import Clock
from services.plumbing.database import Database
from services.plumbing.http.api_keys import ApiKeys
from services.plumbing.http.app import web_app
from services.plumbing.http.audit_routes import audit_routes
from services.plumbing.http.health import Check
from services.plumbing.secrets_at_rest import IN_THE_CLEAR, Secrets


def http_app(
    database: Database,
    clock: Clock,
    keys: ApiKeys,
    checks: Mapping[str, Check],
    *,
    links: UnsubscribeLinks,
    pages: PageLinks,
    tokens: SignedIds,
    acknowledgement_tokens: AcknowledgementTokens,
    undo_tokens: SignedIds,
    destinations: Destinations,
    allowed: AllowList,
    facts: Mapping[str, Any] | None = None,
    keyed_hash: KeyedHash = WITHHELD,
    secrets: Secrets = IN_THE_CLEAR,
) -> FastAPI:
    """The application; nothing is connected by building it. `facts` are for `/readyz`."""
    app = web_app(
        "notifier",
        "Pledgewire notifier",
        checks,
        facts=facts,
        note_refusal=RefusedAttempts(database, clock).note,
        key_of=keys.key_of,
        languages=answer_language,
        version="1.0.0",
        description="Who is told what, where and in which language, and what became of it.",
    )
    store = SubscriptionStore(database, destinations, cancel_waiting, resume_deferred, keyed_hash, secrets)
    log = DeliveryLog(database)
    app.include_router(silence_router(SilenceStore(database, resume_deferred), keys, clock))
    app.include_router(sending_router(database, keys, clock))
    app.include_router(trial_router(database, keys, clock))
    subscription_links = SubscriptionLinks(store, tokens, clock)
    app.include_router(subscription_router(store, keys, allowed, clock))
    changes = SharedChanges(database, secrets)
    app.include_router(link_router(subscription_links, changes.record))
    app.include_router(undo_router(store, changes, undo_tokens, clock))
    app.include_router(delivery_router(log, keys, subscription_links))
    app.include_router(receipt_router(log, keys, subscription_links, clock))
    app.include_router(acknowledgement_link_router(store, acknowledgement_tokens, keys, clock))
    app.include_router(link_request_router(LinkRequests(database, destinations, secrets), clock))
    app.include_router(unsubscribe_router(store, links, pages, clock))
    app.include_router(audit_routes(database, keys))
    return app

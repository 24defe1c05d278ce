"""The HTTP interfaces of all services, with nothing connected behind them."""

from collections.abc import Mapping

from fastapi import FastAPI

from services.notifier import openapi as notifier
from services.plumbing.clock import SystemClock
from services.plumbing.http.app import web_app
from services.portal.clients.notifier import NotifierApi
from services.portal.clients.registry import RegistryApi
from services.portal.clients.scheduler import SchedulerApi
from services.portal.clients.service_client import ServiceClient, http_client
from services.portal.live_feed import LiveFeed
from services.portal.page_renderer import PageRenderer
from services.portal.routes import add_routes
from services.portal.routes.portal import Portal
from services.registry import openapi as registry
from services.scheduler import openapi as scheduler


def applications() -> Mapping[str, FastAPI]:
    """Each service's application, new."""
    return {
        "registry": registry.application(),
        "scheduler": scheduler.application(),
        "notifier": notifier.application(),
        "portal": _portal(),
    }


def _portal() -> FastAPI:
    nobody = ServiceClient(http_client(), "http://127.0.0.1:9")
    app = web_app("portal", "Pledgewire portal", {})
    portal = Portal(
        registry=RegistryApi(nobody),
        scheduler=SchedulerApi(nobody),
        notifier=NotifierApi(nobody),
        feed=LiveFeed(),
        clock=SystemClock(),
        pages=PageRenderer(),
    )
    add_routes(app, portal)
    return app

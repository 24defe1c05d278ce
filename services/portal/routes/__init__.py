"""What is at which address: pages and stream by their subject, and the pages of errors."""

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from services.portal.page_renderer import HERE
from services.portal.routes.commitment import add_commitment_page
from services.portal.routes.commitment_list import add_commitment_list
from services.portal.routes.errors import add_error_pages
from services.portal.routes.live import add_live_page, add_stream
from services.portal.routes.lost_link import add_lost_link_page
from services.portal.routes.on_it import add_on_it_page
from services.portal.routes.portal import Portal
from services.portal.routes.subscription import add_subscription_page
from services.portal.routes.undo import add_undo_page
from services.portal.security_headers import SecurityHeaders


def add_routes(app: FastAPI, portal: Portal) -> None:
    """Put pages, stream and error pages into an application."""
    app.add_middleware(SecurityHeaders)
    app.mount("/static", StaticFiles(directory=HERE / "static"), name="static")
    add_commitment_list(app, portal)
    add_commitment_page(app, portal)
    add_subscription_page(app, portal)
    add_on_it_page(app, portal)
    add_lost_link_page(app, portal)
    add_undo_page(app, portal)
    add_live_page(app, portal)
    add_stream(app, portal)
    add_error_pages(app, portal)

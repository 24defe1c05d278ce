"""Which routes an application has: what a path is called, which methods it knows, and what body each takes.

Looked up once for each request, by the middleware in front of the router: so no route can forget HEAD, a true `Allow`,
a check of its body, or to keep the secrets of its path out of logs and traces.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from services.plumbing.http.content_type import JSON, AcceptedBody
from services.plumbing.http.etags import IF_MATCH

UNKNOWN = "(unknown path)"
"""What logs and traces say of a path that isn't one of ours: it may hold anything."""
_NO_BODY = AcceptedBody()


@dataclass(frozen=True)
class PlacedRoute:
    """One route: `template` is its path with the names of its parameters, as in the document."""

    template: str
    pattern: "re.Pattern[str]"
    methods: frozenset[str]
    accepted_body: AcceptedBody
    parameters: frozenset[str] | None
    """Of its query, by name; None where it stands in no document, and takes what comes."""
    takes_if_match: bool


@dataclass(frozen=True)
class Resource:
    """What is at a path: the routes that fit it, in the order in which the router would take them."""

    routes: Sequence[PlacedRoute]
    hidden: Sequence[PlacedRoute] = ()
    """Routes that fit too, and are not of this resource."""

    @cached_property
    def template(self) -> str:
        """The path as logs and traces may show it."""
        return self.routes[0].template if self.routes else UNKNOWN

    @cached_property
    def methods(self) -> frozenset[str]:
        """What may be asked of it; HEAD wherever GET is, and OPTIONS always."""
        known = frozenset().union(*(route.methods for route in self.routes))
        return known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set()) if known else known

    @property
    def is_secret(self) -> bool:
        """Whether the path itself is a secret that was given to one reader, so that no cache may keep what is there."""
        return any("{token}" in route.template for route in self.routes)

    @property
    def allow(self) -> str:
        """The value of the header `Allow` (RFC 9110, 10.2.1)."""
        return ", ".join(sorted(self.methods))

    def route(self, method: str) -> PlacedRoute | None:
        """The route that answers this method."""
        return next((route for route in self.routes if method in route.methods), None)

    def hides(self, method: str) -> bool:
        """Whether the router would answer this method by a route that is not of this resource."""
        return self.route(method) is None and any(method in route.methods for route in self.hidden)

    def template_for(self, method: str) -> str:
        """The path as logs and traces may show it, of the route that answers this method where one does."""
        return route.template if (route := self.route(method)) else self.template

    def accepted_body(self, method: str) -> AcceptedBody:
        """What body the method takes here."""
        return route.accepted_body if (route := self.route(method)) else _NO_BODY


class RouteTable:
    """All routes of an application, those of included routers among them."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    @cached_property
    def routes(self) -> Sequence[PlacedRoute]:
        """Every route, in the router's order, as they are when it is first asked."""
        return tuple(_placed(context) for context in iter_route_contexts(self._app.routes))

    def resource(self, path: str) -> Resource:
        """What is at a path; without routes where there is nothing.

        A path that stands in the document as it is hides those with parameters that fit it too (OpenAPI 3.1, 4.8.8.2):
        otherwise the answers would allow what the document does not know.
        """
        fitting = [route for route in self.routes if route.pattern.match(path)]
        if exact := [route for route in fitting if route.template == path]:
            return Resource(exact, [route for route in fitting if route.template != path])
        return Resource(fitting)


def _placed(context: RouteContext) -> PlacedRoute:
    # A mount, which serves files, has no methods of its own.
    methods = frozenset(context.methods or {"GET", "HEAD"})
    return PlacedRoute(
        context.path_format or "",
        context.path_regex,
        methods,
        _accepted(context),
        _parameters(context),
        any(one.get("name") == IF_MATCH["name"] for one in _extra(context).get("parameters", ())),
    )


def _extra(context: RouteContext) -> Mapping[str, Any]:
    """What the route adds to its document by hand."""
    return getattr(context, "openapi_extra", None) or {}


def _parameters(context: RouteContext) -> frozenset[str] | None:
    """The parameters that the route's function and its dependencies declare.

    Programs and mails of others put their own behind an address that holds a token, and the reader is not to blame.
    """
    dependant: Dependant | None = getattr(context, "dependant", None)
    is_shown = getattr(context, "include_in_schema", False) and "{token}" not in (context.path_format or "")
    if dependant is None or not is_shown:
        return None
    by_hand = {one["name"] for one in _extra(context).get("parameters", ()) if one.get("in") == "query"}
    return frozenset(by_hand | set(_declared(dependant)))


def _declared(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for needed in dependant.dependencies:
        yield from _declared(needed)


def _accepted(context: RouteContext) -> AcceptedBody:
    written: Mapping[str, object] = _extra(context).get("requestBody", {})
    content = written.get("content")
    if isinstance(content, Mapping):
        return AcceptedBody(tuple(content), is_required=bool(written.get("required")))
    return AcceptedBody((JSON,), is_required=getattr(context, "body_field", None) is not None)

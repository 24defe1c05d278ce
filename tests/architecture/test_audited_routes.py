"""No route changes anything without an entry in the audit log, or a reason.

That each entry is really written is shown on real parts, by tests beside each service that go by the same table.
"""

from services.plumbing.http.route_table import RouteTable
from tests.architecture.applications import applications
from tests.architecture.audited_routes import AUDITED, CHANGES_NOTHING


def test_every_route_that_may_change_something_is_audited_or_has_a_reason() -> None:
    changing = {
        (service, method, route.template)
        for service, app in applications().items()
        for route in RouteTable(app).routes
        for method in route.methods & {"POST", "PUT", "PATCH", "DELETE"}
    }
    assert changing == AUDITED.keys() | CHANGES_NOTHING.keys()
    assert not AUDITED.keys() & CHANGES_NOTHING.keys()

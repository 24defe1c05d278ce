"""The pages of errors: browsers get a page, everybody else the problem document."""

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from services.plumbing.http.problems import fault_problem, http_problem, validation_problem
from services.plumbing.transient_errors import Unavailable, is_transient
from services.portal.routes.portal import Portal


def add_error_pages(app: FastAPI, portal: Portal) -> None:
    """What is answered where no page can be."""

    def show(request: Request, status: int, otherwise: Response) -> Response:
        if "text/html" not in request.headers.get("accept", ""):
            return otherwise
        page = portal.pages.show(request, "error.html", status, status=status)
        for name in ("retry-after", "allow"):
            if name in otherwise.headers:
                page.headers[name] = otherwise.headers[name]
        return page

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        return show(request, error.status_code, http_problem(error).response(request.scope))

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        return show(request, 422, validation_problem(error).response(request.scope))

    @app.exception_handler(Unavailable)
    async def away(request: Request, error: Unavailable) -> Response:
        return show(request, 503, fault_problem(request, error).response(request.scope))

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        return show(request, 503 if is_transient(error) else 500, fault_problem(request, error).response(request.scope))

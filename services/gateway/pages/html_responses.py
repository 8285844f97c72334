"""HTML responses: templates that escape everything, security headers, and errors as pages."""

from collections.abc import Callable, Coroutine, Mapping
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response

from chassis.web.problems import TRANSLATED, Problem, translated
from gateway import formatting
from gateway.pages.names import channel_name, rule_title, stage_name
from gateway.pages.session import SignedOut
from gateway.portfolio.list_index import InvalidCursor

_HERE = Path(__file__).parent
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

SECURITY = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Load nothing from other sites, run no inline script, and forbid frames."""

_TEXTS = {
    "token-missing": "",
    "token-expired": "Your sign-in has expired. Sign in again to continue.",
    "unknown-stream": "No engagement has this address.",
    "unknown-route": "There is no page at this address.",
    "store-away": "The gateway cannot reach its store now. Try again in a moment.",
    "not-processed-yet": "The requested position is not processed yet. Try again in a moment.",
    "starting": "The gateway is starting. Try again in a moment.",
}
"""Texts for people by code of a problem; other problems are shown with their detail."""


def static_files() -> dict[str, tuple[bytes, str]]:
    """Return content and media type of the files that pages load, by name."""
    return {
        file.name: (file.read_bytes(), _TYPES[file.suffix])
        for file in sorted((_HERE / "static").iterdir())
        if file.suffix in _TYPES
    }


@cache
def _templates() -> Environment:
    templates = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.globals["formatting"] = formatting
    templates.globals["stage_name"] = stage_name
    templates.globals["rule_title"] = rule_title
    templates.globals["channel_name"] = channel_name
    templates.filters["query"] = _query
    templates.globals["static"] = {
        name: f"/pages/static/{name}?{sha256(content).hexdigest()[:12]}"
        for name, (content, _) in static_files().items()
    }
    return templates


def _query(parameters: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in parameters.items() if value is not None})


def page(template: str, content: Mapping[str, object], status: int = 200) -> Response:
    """Return a rendered page, which no cache may store: it depends on the reader's roles."""
    text = _templates().get_template(template).render(content)
    return Response(
        text,
        status,
        headers={**SECURITY, "Cache-Control": "no-store", "Vary": "Cookie"},
        media_type="text/html",
    )


def sign_in(goes_to: str, problem: SignedOut) -> Response:
    """Return the page that asks for a token, with the reason; on success it leads to `goes_to`."""
    why = _TEXTS.get(problem.code, f"Sign-in failed: {problem.detail}.")
    return page("sign_in.html", {"goes_to": goes_to, "why": why}, 401)


def failed(problem: Problem) -> Response:
    """Return an error page."""
    detail = _TEXTS.get(problem.code, str(problem.detail))
    missing = [each.sentence for each in problem.missing or ()]
    content = {"status": problem.status_code, "detail": detail, "missing": missing}
    return page("error.html", content, problem.status_code)


class PageRoute(APIRoute):
    """A route of a page: errors are pages, and a person who is not signed in gets the sign-in."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return a handler that turns errors into pages."""
        handle = super().get_route_handler()

        async def handle_with_error_pages(request: Request) -> Response:
            try:
                return await handle(request)
            except SignedOut as out:
                linked = request.headers.get("sec-fetch-site") == "cross-site"
                if linked and request.method == "GET":
                    # The link is on another site, so the browser did not send the cookie. It
                    # sends it when this empty page requests the same address again.
                    return page("again.html", {})
                return sign_in(_address(request), out)
            except Problem as problem:
                return failed(problem)
            except (RequestValidationError, InvalidCursor):
                return failed(Problem(404, "unknown-route", ""))
            except TRANSLATED as error:
                return failed(translated(error))

        return handle_with_error_pages


def _address(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")

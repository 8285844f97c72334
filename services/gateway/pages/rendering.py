"""Pages as answers: templates that escape everything, safe headers, and errors people can read."""

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
from gateway.pages import presenting
from gateway.pages.session import SignedOut
from gateway.rows import BadCursor

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
"""Nothing is loaded from elsewhere, nothing inline is run, and nobody may frame a page."""

_WORDS = {
    "token-missing": "",
    "token-expired": "Your sign-in has run out. Sign in again to go on.",
    "unknown-stream": "No engagement has this address.",
    "unknown-route": "There is nothing at this address.",
    "store-away": "The gateway cannot reach its store just now. Try again in a moment.",
    "not-heard-yet": "The gateway has not heard that much yet. Try again in a moment.",
    "starting": "The gateway is starting. Try again in a moment.",
}


def static_files() -> dict[str, tuple[bytes, str]]:
    """What pages load: content and media type by name."""
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
    templates.globals["say"] = presenting
    templates.filters["only_said"] = _query
    templates.globals["static"] = {
        name: f"/pages/static/{name}?{sha256(content).hexdigest()[:12]}"
        for name, (content, _) in static_files().items()
    }
    return templates


def _query(parameters: Mapping[str, str | None]) -> str:
    return urlencode({name: value for name, value in parameters.items() if value is not None})


def page(template: str, content: Mapping[str, object], status: int = 200) -> Response:
    """A page; its answer is never kept anywhere, since who may see it may change."""
    text = _templates().get_template(template).render(content)
    return Response(
        text,
        status,
        headers={**SECURITY, "Cache-Control": "no-store", "Vary": "Cookie"},
        media_type="text/html",
    )


def sign_in(goes_to: str, problem: SignedOut) -> Response:
    """The page that asks for a token, and says why it does."""
    why = _WORDS.get(problem.code, f"That did not work: {problem.detail}.")
    return page("sign_in.html", {"goes_to": goes_to, "why": why}, 401)


def failed(problem: Problem) -> Response:
    """An error as a page."""
    detail = _WORDS.get(problem.code, str(problem.detail))
    missing = [each.sentence for each in problem.missing or ()]
    content = {"status": problem.status_code, "detail": detail, "missing": missing}
    return page("error.html", content, problem.status_code)


class PageRoute(APIRoute):
    """A route that answers people: whoever is not signed in may do so, and errors are pages."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler."""
        handle = super().get_route_handler()

        async def shown(request: Request) -> Response:
            try:
                return await handle(request)
            except SignedOut as out:
                linked = request.headers.get("sec-fetch-site") == "cross-site"
                if linked and request.method == "GET":
                    # A link on another site: the browser kept the cookie back. It sends it when
                    # this page, which shows nothing, asks again.
                    return page("again.html", {})
                return sign_in(_place(request), out)
            except Problem as problem:
                return failed(problem)
            except (RequestValidationError, BadCursor):
                return failed(Problem(404, "unknown-route", ""))
            except TRANSLATED as error:
                return failed(translated(error))

        return shown


def _place(request: Request) -> str:
    if request.method != "GET":
        return "/"
    query = request.url.query
    return request.url.path + (f"?{query}" if query else "")

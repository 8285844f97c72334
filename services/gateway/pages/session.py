"""Signing in with a browser: the bearer token in a cookie that no script and no other site gets.

Only these pages take the cookie; the API asks for the Authorization header. What changes anything
is taken from this site's own forms alone.
"""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from chassis.web.auth import Caller, Guard, Tokens
from chassis.web.problems import Problem
from chassis.web.request import reject_invalid_text
from gateway.api import SEEN_BY

COOKIE = "concord"
LONGEST_FORM = 16_384
"""Bytes a form may have."""

_HERE = ("127.0.0.1", "localhost")


class SignedOut(Problem):
    """Nobody is signed in here, or not any more: `code` and `detail` say why."""


class SignedIn(Guard):
    """Lets those pass who are signed in with one of the roles."""

    async def __call__(self, request: Request) -> Caller:
        """Whoever is signed in; raises SignedOut, or Problem 403 without the role."""
        caller = await caller_of(request, request.cookies.get(COOKIE, ""))
        if not caller.may(*self.roles):
            raise Problem(
                403, "not-allowed", f"{caller.actor} has no role that may read these pages."
            )
        request.state.caller = caller
        return caller


viewer = SignedIn(*SEEN_BY)
"""What the pages depend on."""


async def caller_of(request: Request, token: str) -> Caller:
    """Whoever the token was issued to; raises SignedOut."""
    if not token:
        raise SignedOut(401, "token-missing", "")
    tokens: Tokens = request.app.state.tokens
    try:
        return await tokens.caller(token)
    except Problem as problem:
        raise SignedOut(401, problem.code, str(problem.detail)) from None


def begun(request: Request, token: str, goes_to: str) -> Response:
    """Signed in: the cookie is set for as long as the browser runs, and the token itself lasts."""
    response = RedirectResponse(goes_to, 303)
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.hostname not in _HERE,
    )
    return response


def ended() -> Response:
    """Signed out: the cookie is taken back."""
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def own_page(path: str) -> str:
    """The path if it lies on this site, else the first page: nobody is sent elsewhere."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and not parts.scheme and not parts.netloc else "/"


async def own_form(request: Request) -> dict[str, str]:
    """The fields of a form that one of these pages sent; raises Problem for any other."""
    if not _sent_from_here(request):
        raise Problem(403, "foreign-form", "This was not sent by a page of this site.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "unsupported-media-type", "Send a form.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise Problem(413, "body-too-large", "That is too long.")
    try:
        read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
        fields = {name: values[-1] for name, values in read.items()}
        reject_invalid_text(fields)
    except ValueError:
        raise Problem(400, "malformed-request", "The form cannot be read.") from None
    return fields


def _sent_from_here(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    try:
        origin = urlsplit(request.headers.get("origin", "")).netloc
    except ValueError:
        return False
    return bool(origin) and origin == request.headers.get("host")

"""Sessions of a browser: the bearer token in a cookie that no script and no other site can read.

Only the pages accept the cookie; the API requires the Authorization header. Changes are accepted
only from forms of this site.
"""

from urllib.parse import parse_qs, urlsplit

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from chassis.web.auth import Caller, Guard, Tokens
from chassis.web.problems import Problem
from gateway.api import SEEN_BY

COOKIE = "concord"
LONGEST_FORM = 16_384
"""Bytes of a form at most."""
LONGEST_TOKEN = 4_000
"""Characters of a token at most: browsers keep no cookie of more than 4,096 bytes."""

_LOCAL_HOSTS = ("127.0.0.1", "localhost")


class SignedOut(Problem):
    """No person is signed in, or the sign-in has expired: `code` and `detail` give the reason."""


class SignedIn(Guard):
    """A guard that requires a signed-in person with one of the roles."""

    async def __call__(self, request: Request) -> Caller:
        """Return the signed-in caller; raises SignedOut, or Problem 403 without the role."""
        caller = await caller_of(request, request.cookies.get(COOKIE, ""))
        if not caller.may(*self.roles):
            raise Problem(
                403, "not-allowed", f"{caller.actor} has no role that may read these pages."
            )
        request.state.caller = caller
        return caller


viewer = SignedIn(*SEEN_BY)
"""The guard of all pages."""


async def caller_of(request: Request, token: str) -> Caller:
    """Return the caller to whom the token was issued.

    Raises SignedOut, and Problem 503 while the token cannot be checked.
    """
    if not token:
        raise SignedOut(401, "token-missing", "")
    tokens: Tokens = request.app.state.tokens
    try:
        return await tokens.caller(token)
    except Problem as problem:
        if problem.status_code not in {401, 403}:
            raise
        raise SignedOut(401, problem.code, str(problem.detail)) from None


def start(request: Request, token: str, goes_to: str) -> Response:
    """Set the cookie until the browser is closed, and redirect; the token itself may expire before.

    Outside this machine the cookie requires TLS. Raises SignedOut where the token is too long.
    """
    if len(token) > LONGEST_TOKEN:
        detail = f"the token has {len(token)} characters, and a browser keeps {LONGEST_TOKEN}"
        raise SignedOut(401, "invalid-token", detail)
    response = RedirectResponse(goes_to, 303)
    response.set_cookie(
        COOKIE,
        token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.hostname not in _LOCAL_HOSTS,
    )
    return response


def end() -> Response:
    """Delete the cookie, and redirect to the first page."""
    response = RedirectResponse("/", 303)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")
    return response


def local_path(path: str) -> str:
    """Return the path if it is on this site, else that of the first page."""
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    local = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if local and not parts.scheme and not parts.netloc else "/"


async def read_form(request: Request) -> dict[str, str]:
    """Return the fields of a form that a page of this site sent; raises Problem for any other."""
    if not _sent_from_here(request):
        raise Problem(403, "foreign-form", "The form was not sent by a page of this site.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Problem(415, "unsupported-media-type", "The request must be a form.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_FORM:
            raise Problem(413, "body-too-large", f"The form is larger than {LONGEST_FORM} bytes.")
    try:
        read = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
        fields = {name: values[-1] for name, values in read.items()}
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

"""Requests of pages on other origins (CORS): which may read answers, and with which headers.

Pages send a token in a header and no cookie, so credentials in the sense of the standard are not
allowed, and the gateway's own pages, which use a cookie, cannot be read from elsewhere.
"""

from collections.abc import Collection
from functools import partial

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

METHODS = ("DELETE", "GET", "HEAD", "POST", "PUT")
SENT = (
    "Authorization",
    "Concord-After",
    "Concord-On-Behalf-Of",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Occurred-At",
    "Prefer",
    "traceparent",
    "tracestate",
)
"""Headers that a page may send."""
READ = (
    "Concord-As-Of",
    "Concord-Position",
    "Content-Disposition",
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "Retry-After",
    "WWW-Authenticate",
)
"""Headers of answers that a page may read, beside those that every page may read."""
_MAX_AGE = 600
"""Seconds for which a browser may keep the answer to a preflight request."""


def allow(app: FastAPI, origins: Collection[str]) -> None:
    """Let pages of these origins send requests and read the answers, also errors.

    A preflight request needs no token. Without an origin, nothing is answered differently.
    """
    if not origins:
        return
    with_cors = partial(
        CORSMiddleware,
        allow_origins=origins,
        allow_methods=METHODS,
        allow_headers=SENT,
        expose_headers=READ,
        max_age=_MAX_AGE,
    )
    build = app.build_middleware_stack
    # Around everything: middleware that is added does not see the answer 500 to an exception.
    app.build_middleware_stack = lambda: with_cors(build())  # type: ignore[method-assign]

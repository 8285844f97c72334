"""Who is asking, and what they may do: bearer tokens (RFC 6750, RFC 7519) and roles.

The token's subject is the actor of every event that follows. Roles say what a person may ask of
which department; `confidential` is the right to see costs and margins, apart from reading.
"""

import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.base.settings import Settings
from chassis.web.problems import Problem
from chassis.web.signing_keys import PublicKeys
from contracts.roles import ROLES, Role

AUDIENCE = "concord"
LEEWAY = timedelta(seconds=5)
"""How far the clocks of two machines may differ."""

LONGEST = timedelta(days=31)
"""A token that is valid for longer than this from its issue is refused."""

OPEN_TO_ALL = frozenset(
    {
        "/live",
        "/health",
        "/ready",
        "/docs",
        "/docs/oauth2-redirect",
        "/static-offline-docs",
        "/openapi.json",
        "/asyncapi",
        "/asyncapi.json",
    }
)
"""Paths that need no token: health, and documents that say nothing of the business."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NO_SUBJECT = (
    "the token's subject must be an id such as ann.archer, and no e-mail address: it is recorded"
    " for ever and must name nobody"
)
_REMEMBERED = 1000
_LATEST = 2**53
"""Seconds since 1970 before which every moment of a token must lie."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="concord"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever sent a request: the id of a person (or program), and their roles."""

    actor: str
    roles: frozenset[Role]

    def may(self, *roles: Role) -> bool:
        """Tell whether they have at least one of these roles."""
        return not self.roles.isdisjoint(roles)


class _OtherKey(Problem):
    """A token is signed with a key that is not known here; it may have been published since."""


class Tokens:
    """Checks tokens by the one algorithm that the settings name.

    Raises UnsafeSettings where the settings name a file that holds no public keys.
    """

    def __init__(self, settings: Settings) -> None:
        self._issuer = settings.token_issuer
        self._keys: PublicKeys | None = None
        self._secret = ""
        if settings.token_keys is not None:
            self._keys = PublicKeys(settings.token_keys)
        elif settings.token_secret is not None:
            self._secret = settings.token_secret.get_secret_value()
        else:
            raise ValueError("neither a secret nor public keys to check tokens by")

        self._known: dict[str, tuple[float, int, Caller]] = {}

    async def caller(self, token: str) -> Caller:
        """Return whom the token was issued to; raises Problem 401 saying what is wrong with it.

        A token signed with an unknown key makes the file of keys be read again, off the event loop
        and at most every ten seconds.
        """
        if self._keys is None:
            return self._remembered(token)
        self._keys.refresh()
        try:
            return self._remembered(token)
        except _OtherKey:
            if not await self._keys.read_again():
                raise
        return self._remembered(token)

    def _remembered(self, token: str) -> Caller:
        revision = 0 if self._keys is None else self._keys.revision
        until, under, caller = self._known.get(token, (0.0, revision, None))
        if caller is not None and under == revision and until > time.time():
            return caller
        caller, until = self._checked(token)
        if len(self._known) >= _REMEMBERED:
            self._known.clear()
        self._known[token] = until, revision, caller
        return caller

    def _checked(self, token: str) -> tuple[Caller, float]:
        claims = self._claims(token)
        subject, roles = claims["sub"], claims.get("roles", [])
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise _unauthorised("invalid-token", _NO_SUBJECT)
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise _unauthorised("invalid-token", "the token's roles are not a list of names")
        until = _until(claims)
        return Caller(subject, frozenset(role for role in ROLES if role in roles)), until

    def _claims(self, token: str) -> dict[str, Any]:
        """Return what a token says that is signed, from our issuer and for us."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = self._secret if self._keys is None else self._keys.get(name)
            if key is None:
                raise _unauthorised("invalid-token", "the token's key is not known", _OtherKey)
            return jwt.decode(
                token,
                key,
                algorithms=["HS256" if self._keys is None else "RS256"],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "aud", "iss", "sub"],
                    "strict_aud": True,
                    # Judged by `_until`: the library takes text and truth values for moments.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise _unauthorised("invalid-token", f"the token has no {error.claim}") from None
        except jwt.InvalidSignatureError as error:
            raise _unauthorised("invalid-token", _reason(error), _OtherKey) from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise _unauthorised("invalid-token", _reason(error)) from None


def _until(claims: Mapping[str, Any]) -> float:
    """Return when the token ends, in seconds since 1970; raises Problem where that is not to come.

    The token must have begun, and be valid for no longer than `LONGEST`.
    """
    for name in ("exp", "iat", "nbf"):
        moment = claims.get(name, 0)
        is_number = isinstance(moment, int | float) and not isinstance(moment, bool)
        if not is_number or not abs(moment) < _LATEST:  # NaN is less than nothing
            detail = f"the token's {name} must be a number of seconds since 1970"
            raise _unauthorised("invalid-token", detail)
    now, leeway = time.time(), LEEWAY.total_seconds()
    ends, begins = float(claims["exp"]), float(claims["iat"])
    if ends <= now - leeway:
        raise _unauthorised("token-expired", "the token has expired")
    if max(begins, claims.get("nbf", begins)) > now + leeway:
        raise _unauthorised("invalid-token", "the token is not valid yet")
    if ends - begins > LONGEST.total_seconds():
        raise _unauthorised("invalid-token", "the token is valid for too long")
    return ends


def issue(
    secret: str,
    actor: str,
    roles: tuple[Role, ...],
    *,
    issuer: str,
    now: datetime,
    valid: timedelta = timedelta(hours=8),
) -> str:
    """A token signed with a shared secret, for one machine; `now` needs a time zone."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": actor,
        "roles": list(roles),
        "iat": now.astimezone(UTC),
        "exp": now.astimezone(UTC) + valid,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


class Guard:
    """Lets those pass who have one of the roles (anybody with a token where none is named)."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> Caller:
        """Whoever asks; raises Problem 401 without a good token, 403 without the role."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise _unauthorised("token-missing", "send a bearer token in the Authorization header")
        tokens: Tokens = request.app.state.tokens
        caller = await tokens.caller(token.strip())
        if self.roles and not caller.may(*self.roles):
            raise Problem(
                403,
                "not-allowed",
                f"this needs one of the roles {', '.join(self.roles)}",
                headers={"WWW-Authenticate": 'Bearer realm="concord", error="insufficient_scope"'},
            )
        request.state.caller = caller
        return caller


def requires(*roles: Role) -> Guard:
    """What a route depends on (``Depends(requires("operator"))``); it answers with the caller."""
    return Guard(*roles)


def guarded(app: FastAPI) -> set[str]:
    """The routes that authorise, as ``POST /engagements``."""
    return {name for name, is_guarded in _routes(app) if is_guarded}


def unguarded(app: FastAPI) -> set[str]:
    """The routes that let anybody in and are not meant to; a test holds it empty."""
    return {
        name
        for name, is_guarded in _routes(app)
        if not is_guarded and name.removeprefix("GET ") not in OPEN_TO_ALL
    }


def _routes(app: FastAPI) -> Iterator[tuple[str, bool]]:
    for route in iter_route_contexts(app.routes):
        if isinstance(route.original_route, APIRoute):
            is_guarded = any(isinstance(each.dependency, Guard) for each in route.dependencies)
            is_guarded = is_guarded or _depends_on_a_guard(route.original_route.dependant)
            for method in route.methods or ():
                yield f"{method} {route.path}", is_guarded
        elif (route.path or "") not in OPEN_TO_ALL:
            yield f"GET {route.path}", False


def _depends_on_a_guard(dependant: Dependant) -> bool:
    return isinstance(dependant.call, Guard) or any(
        map(_depends_on_a_guard, dependant.dependencies)
    )


def _reason(error: Exception) -> str:
    if isinstance(error, jwt.InvalidAudienceError):
        return "the token is for somebody else"
    if isinstance(error, jwt.InvalidIssuerError):
        return "the token is from an issuer that is not known here"
    if isinstance(error, jwt.InvalidSignatureError | jwt.InvalidAlgorithmError):
        return "the token's signature is not good"
    return "the token cannot be read"


def _unauthorised(code: str, detail: str, kind: type[Problem] = Problem) -> Problem:
    error = "" if code == "token-missing" else ', error="invalid_token"'
    return kind(
        401, code, detail, headers={"WWW-Authenticate": _CHALLENGE["WWW-Authenticate"] + error}
    )

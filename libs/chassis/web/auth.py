"""Authentication by bearer token (RFC 6750, RFC 7519) and authorisation by role.

The token's subject is recorded as the actor of all events that follow from the request. Each route
names the roles that may use it; costs and margins need the role `confidential` as well.
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
from contracts.refusals import ProblemCode
from contracts.roles import ROLES, Role

AUDIENCE = "concord"
LEEWAY = timedelta(seconds=5)
"""Tolerated difference between the clocks of two machines."""

LONGEST = timedelta(days=31)
"""Maximum time between a token's issue and its expiry; a longer one is refused."""

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
        "/schemas/{name}.json",
    }
)
"""Paths that need no token: health, and documents that contain no business data."""

_SUBJECT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_INVALID_SUBJECT = (
    "the token's subject must be an id such as ann.archer, not an e-mail address: it is recorded"
    " permanently and must not identify a person by itself"
)
_CACHE_SIZE = 1000
_LATEST = 2**53
"""Upper limit of the times in a token, in seconds since 1970."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="concord"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: the id of a person or program, and their roles."""

    actor: str
    roles: frozenset[Role]

    def may(self, *roles: Role) -> bool:
        """Return whether the caller has at least one of these roles."""
        return not self.roles.isdisjoint(roles)


class _OtherKey(Problem):
    """A token is signed with an unknown key, which may have been added to the file since."""


class Tokens:
    """The check of tokens: RS256 with public keys, or HS256 with a secret, by the settings.

    Raises UnsafeSettings where the settings name a file without public keys, and ValueError where
    they name neither a file nor a secret.
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
            raise ValueError("there is neither a secret nor a file of public keys to check tokens")

        self._cache: dict[str, tuple[float, int, Caller]] = {}

    async def caller(self, token: str) -> Caller:
        """Return the caller that the token names; raises Problem 401 with the reason if invalid.

        If the token is signed with an unknown key, read the file of keys again: in a thread, and at
        most every ten seconds.
        """
        if self._keys is None:
            return self._cached(token)
        self._keys.refresh()
        try:
            return self._cached(token)
        except _OtherKey:
            if not await self._keys.read_again():
                raise
        return self._cached(token)

    def _cached(self, token: str) -> Caller:
        revision = 0 if self._keys is None else self._keys.revision
        until, cached_revision, caller = self._cache.get(token, (0.0, revision, None))
        if caller is not None and cached_revision == revision and until > time.time():
            return caller
        caller, until = self._checked(token)
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[token] = until, revision, caller
        return caller

    def _checked(self, token: str) -> tuple[Caller, float]:
        claims = self._claims(token)
        subject, roles = claims["sub"], claims.get("roles", [])
        if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
            raise _unauthorised("invalid-token", _INVALID_SUBJECT)
        if not isinstance(roles, list) or not all(isinstance(role, str) for role in roles):
            raise _unauthorised("invalid-token", "the token's roles are not a list of names")
        until = _until(claims)
        return Caller(subject, frozenset(role for role in ROLES if role in roles)), until

    def _claims(self, token: str) -> dict[str, Any]:
        """Return a token's claims; raises Problem 401 for a wrong signature, issuer or audience."""
        try:
            name = jwt.get_unverified_header(token).get("kid")
            key = self._secret if self._keys is None else self._keys.get(name)
            if key is None:
                raise _unauthorised("invalid-token", "unknown signing key", _OtherKey)
            return jwt.decode(
                token,
                key,
                algorithms=["HS256" if self._keys is None else "RS256"],
                audience=AUDIENCE,
                issuer=self._issuer,
                options={
                    "require": ["exp", "iat", "aud", "iss", "sub"],
                    "strict_aud": True,
                    # Checked by `_until`: the library accepts text and booleans as times.
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
    """Return when the token expires, in seconds since 1970.

    Raises Problem 401 where it has expired, is not valid yet, or is valid for more than `LONGEST`.
    """
    for name in ("exp", "iat", "nbf"):
        moment = claims.get(name, 0)
        is_number = isinstance(moment, int | float) and not isinstance(moment, bool)
        if not is_number or not abs(moment) < _LATEST:  # false for NaN
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
    """Return a token signed with a shared secret, for local use; `now` needs a time zone."""
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
    """A dependency that admits callers with one of the roles, or any caller if none is given."""

    def __init__(self, *roles: Role) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> Caller:
        """Return the caller; raises Problem 401 without a valid token, 403 without the role."""
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
    """Return a dependency of a route that yields the caller: ``Depends(requires("operator"))``."""
    return Guard(*roles)


def guarded(app: FastAPI) -> set[str]:
    """Return the routes that require a token, as ``POST /engagements``."""
    return {name for name, is_guarded in _routes(app) if is_guarded}


def unguarded(app: FastAPI) -> set[str]:
    """Return the routes that need no token but are not in `OPEN_TO_ALL`; a test expects none."""
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
        return "wrong audience"
    if isinstance(error, jwt.InvalidIssuerError):
        return "unknown issuer"
    if isinstance(error, jwt.InvalidSignatureError | jwt.InvalidAlgorithmError):
        return "wrong signature"
    return "the token cannot be read"


def _unauthorised(code: ProblemCode, detail: str, kind: type[Problem] = Problem) -> Problem:
    error = "" if code == "token-missing" else ', error="invalid_token"'
    return kind(
        401, code, detail, headers={"WWW-Authenticate": _CHALLENGE["WWW-Authenticate"] + error}
    )

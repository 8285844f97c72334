"""Authentication by bearer token (RFC 6750, RFC 7519) and authorisation by role.

The person whose account the token names is recorded as the actor of all events that follow from
the request (`chassis.web.sign_ins`). Each route names the roles that may use it; costs and margins
need the role `confidential` as well.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from fastapi import FastAPI, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, iter_route_contexts

from chassis.base.settings import LOCAL_ISSUER, Settings
from chassis.base.token_issuers import TokenIssuer, inner
from chassis.domain.context import ReferenceData
from chassis.web.problems import Problem
from chassis.web.sign_ins import SignIns, no_records
from chassis.web.signing_keys import PublicKeys
from contracts.refusals import ProblemCode
from contracts.roles import ROLES, Role

AUDIENCE = "concord"
LEEWAY = timedelta(seconds=30)
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

_CACHE_SIZE = 1000
_LATEST = 2**53
"""Upper limit of the times in a token, in seconds since 1970."""
_LONGEST_NAME = 255
"""Characters that the name of an account may have, as in OpenID Connect."""
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
"""The header `typ` of access tokens and id tokens, in lower case; a logout token has another."""
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="concord"'}
_INVALID = {"WWW-Authenticate": 'Bearer realm="concord", error="invalid_token"'}
_LOCAL = TokenIssuer.model_construct(issuer=LOCAL_ISSUER, account_is="id")
"""The issuer of tokens that are signed with the shared secret."""


@dataclass(frozen=True, slots=True)
class Caller:
    """The sender of a request: the id of a person or program, and their roles."""

    actor: str
    roles: frozenset[Role]

    def may(self, *roles: Role) -> bool:
        """Return whether the caller has at least one of these roles."""
        return not self.roles.isdisjoint(roles)


class _OtherKey(Problem):
    """A token is signed with an unknown key, which the issuer may have published since."""

    def __init__(self, keys: PublicKeys, detail: str, *, is_away: bool = False) -> None:
        self.keys = keys
        if is_away:
            super().__init__(503, "issuer-away", detail, headers={"Retry-After": "5"})
        else:
            super().__init__(401, "invalid-token", detail, headers=_INVALID)


@dataclass(frozen=True, slots=True)
class _Verified:
    """The content of a valid token: its issuer, the name of the account, roles and expiry."""

    issuer: TokenIssuer
    account: str
    roles: frozenset[Role]
    until: float
    revision: int
    """That of the issuer's keys."""


class Tokens:
    """The check of tokens of the issuers in the settings, and of those with the shared secret.

    `people` returns the reference data with the records of people. Raises UnsafeSettings where an
    issuer has a file without public keys, and ValueError where there is neither an issuer nor a
    secret.
    """

    def __init__(
        self, settings: Settings, people: Callable[[], ReferenceData] = no_records
    ) -> None:
        self._issuers = {each.issuer: each for each in settings.token_issuers}
        self._keys = {each.issuer: PublicKeys(each) for each in settings.token_issuers}
        self._secret = ""
        if settings.token_secret is not None:
            self._issuers[LOCAL_ISSUER] = _LOCAL
            self._secret = settings.token_secret.get_secret_value()
        if not self._issuers:
            raise ValueError("there is neither an issuer nor a secret to check tokens with")
        self._sign_ins = SignIns(people)
        self._cache: dict[str, _Verified] = {}

    async def caller(self, token: str) -> Caller:
        """Return the caller that the token names.

        If it is signed with an unknown key, the issuer's keys are read again: in a thread, and at
        most every ten seconds. Raises Problem 401 with the reason if the token is invalid, 403 if
        it is not known whose account it names, and 503 while the issuer's keys are not known.
        """
        try:
            verified = self._cached(token)
        except _OtherKey as unknown:
            if not await unknown.keys.read_again():
                raise
            verified = self._cached(token)
        return Caller(self._sign_ins.actor(verified.issuer, verified.account), verified.roles)

    def problems(self) -> dict[str, bool]:
        """Return why keys are missing or possibly outdated; true where none are known at all.

        Missing and old keys are read meanwhile.
        """
        for keys in self._keys.values():
            keys.refresh()
        found = self._keys.values()
        return {keys.problem: not keys.are_known for keys in found if keys.problem is not None}

    def _cached(self, token: str) -> _Verified:
        known = self._cache.get(token)
        if known is not None and known.until > time.time():
            keys = self._keys.get(known.issuer.issuer)
            if keys is None:
                return known
            keys.refresh()
            if known.revision == keys.revision:
                return known
        verified = self._checked(token)
        if len(self._cache) >= _CACHE_SIZE:
            self._cache.clear()
        self._cache[token] = verified
        return verified

    def _checked(self, token: str) -> _Verified:
        issuer, claims = self._claims(token)
        account = inner(claims, issuer.account_claim)
        if not isinstance(account, str) or not 0 < len(account) <= _LONGEST_NAME:
            detail = f"the token has no {'.'.join(issuer.account_claim)}"
            raise _unauthorised("invalid-token", detail)
        roles = inner(claims, issuer.roles_claim)
        names = [roles] if isinstance(roles, str) else [] if roles is None else roles
        if not isinstance(names, list) or not all(isinstance(role, str) for role in names):
            detail = f"the token's {'.'.join(issuer.roles_claim)} are not a list of names"
            raise _unauthorised("invalid-token", detail)
        by_address = ("email",) in {issuer.account_claim, issuer.roles_claim}
        if by_address and claims.get("email_verified") is not True:
            raise _unauthorised("invalid-token", "the token's e-mail address is not verified")
        given = issuer.roles_of(tuple(names))
        keys = self._keys.get(issuer.issuer)
        return _Verified(
            issuer=issuer,
            account=account,
            roles=frozenset(role for role in ROLES if role in given),
            until=_until(claims),
            revision=0 if keys is None else keys.revision,
        )

    def _claims(self, token: str) -> tuple[TokenIssuer, dict[str, Any]]:
        """Return a token's issuer and claims.

        Raises Problem 401 for a wrong signature, issuer, audience, client or type, and what `_key`
        raises.
        """
        keys: PublicKeys | None = None
        try:
            unverified = jwt.decode_complete(token, options={"verify_signature": False})
            header = unverified["header"]
            issuer = self._issuer(unverified["payload"])
            keys = self._keys.get(issuer.issuer)
            key, algorithms = self._key(keys, header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=algorithms,
                audience=issuer.audience,
                issuer=issuer.issuer,
                options={
                    "require": ["exp", "iat", "aud", "iss", "sub"],
                    # Checked by `_until`: the library accepts text and booleans as times.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.MissingRequiredClaimError as error:
            raise _unauthorised("invalid-token", f"the token has no {error.claim}") from None
        except jwt.InvalidSignatureError as error:
            if keys is not None:
                raise _OtherKey(keys, _reason(error)) from None
            raise _unauthorised("invalid-token", _reason(error)) from None
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
            raise _unauthorised("invalid-token", _reason(error)) from None
        if str(header.get("typ", "JWT")).lower() not in _TYPES:
            raise _unauthorised("invalid-token", "the token is no access token or id token")
        if not issuer.accepts_client(claims):
            raise _unauthorised("invalid-token", "the token was issued to another client")
        return issuer, claims

    def _issuer(self, claims: Mapping[str, Any]) -> TokenIssuer:
        """Return the issuer that unverified claims name.

        Raises jwt.MissingRequiredClaimError where they name none, and jwt.InvalidIssuerError where
        it is unknown.
        """
        named = claims.get("iss")
        if named is None:
            raise jwt.MissingRequiredClaimError("iss")
        if not isinstance(named, str) or named not in self._issuers:
            raise jwt.InvalidIssuerError
        return self._issuers[named]

    def _key(self, keys: PublicKeys | None, header: Mapping[str, Any]) -> tuple[Any, Sequence[str]]:
        """Return the key that the header of a token names, and the algorithms that it is for.

        It is the shared secret where the issuer has no public keys. Raises Problem 401 where the
        key is unknown, and 503 while no key of the issuer is known.
        """
        if keys is None:
            return self._secret, ["HS256"]
        keys.refresh()
        key = keys.get(header.get("kid"))
        if key is not None:
            return key.key, key.algorithms
        if keys.are_known:
            raise _OtherKey(keys, "unknown signing key")
        raise _OtherKey(keys, f"{keys.problem}; try again in a moment", is_away=True)


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
            sentence = f"this needs one of the roles {', '.join(self.roles)}"
            if "concord-on-behalf-of" in request.headers:
                sentence += "; who acts on behalf of another person needs the role, too"
            raise Problem(
                403,
                "not-allowed",
                sentence,
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


def _unauthorised(code: ProblemCode, detail: str) -> Problem:
    return Problem(401, code, detail, headers=_CHALLENGE if code == "token-missing" else _INVALID)

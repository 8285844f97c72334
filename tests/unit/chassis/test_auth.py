"""Tokens: valid and invalid ones, and that every route requires one."""

from datetime import UTC, datetime, timedelta

import jwt
import pytest

from chassis.base.settings import LOCAL_ISSUER
from chassis.runtime.service import create_app
from chassis.web.auth import AUDIENCE, Tokens, guarded, issue, unguarded
from chassis.web.problems import Problem
from tests.component.sample_app import SECRET, delivery, sales, settings

NOW = datetime.now(UTC)
CLAIMS = {
    "iss": LOCAL_ISSUER,
    "aud": AUDIENCE,
    "sub": "ann",
    "roles": ["account-executive", "astronaut"],
    "iat": NOW,
    "exp": NOW + timedelta(hours=1),
}


def signed(secret=SECRET, algorithm="HS256", headers=None, **claims):
    given = {name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}
    return jwt.encode(given, secret, algorithm=algorithm, headers=headers)


async def test_a_valid_token_has_the_actor_and_the_known_roles():
    caller = await Tokens(settings()).caller(signed())
    assert caller.actor == "ann"
    assert caller.roles == {"account-executive"}
    assert caller.may("sales-manager", "account-executive")
    assert not caller.may("operator")
    several = await Tokens(settings()).caller(signed(aud=["other", AUDIENCE], roles="operator"))
    assert several.roles == {"operator"}
    bob = issue(SECRET, "bob", ("operator",), issuer=LOCAL_ISSUER, now=NOW)
    assert (await Tokens(settings()).caller(bob)).may("operator")


@pytest.mark.parametrize(
    ("token", "code", "detail"),
    [
        (signed(exp=NOW - timedelta(minutes=1)), "token-expired", "expired"),
        (signed(exp=None), "invalid-token", "no exp"),
        (signed(aud=None), "invalid-token", "no aud"),
        (signed(iss=None), "invalid-token", "no iss"),
        (signed(sub=None), "invalid-token", "no sub"),
        (signed(iat=None), "invalid-token", "no iat"),
        (signed(aud="other"), "invalid-token", "wrong audience"),
        (signed(aud=["one", "other"]), "invalid-token", "wrong audience"),
        (signed(iss="other"), "invalid-token", "unknown issuer"),
        (signed(sub="../etc"), "invalid-token", "subject"),
        (signed(sub="ann@acme.com"), "invalid-token", "not an e-mail address"),
        (signed(roles={"operator": True}), "invalid-token", "roles"),
        (signed(roles=[7]), "invalid-token", "roles"),
        (
            signed(iat=NOW + timedelta(hours=1), exp=NOW + timedelta(hours=2)),
            "invalid-token",
            "yet",
        ),
        (signed(exp=NOW + timedelta(days=400)), "invalid-token", "too long"),
        (signed(secret="x" * 40), "invalid-token", "signature"),
        (signed(algorithm="HS512"), "invalid-token", "signature"),
        (signed(secret="", algorithm="none"), "invalid-token", "signature"),
        ("a.b.c", "invalid-token", "cannot be read"),
        ("", "invalid-token", "cannot be read"),
    ],
)
async def test_an_invalid_token_is_refused_with_the_reason(token, code, detail):
    with pytest.raises(Problem) as refused:
        await Tokens(settings()).caller(token)
    assert (refused.value.status_code, refused.value.code) == (401, code)
    assert detail in refused.value.detail
    assert (refused.value.headers or {})["WWW-Authenticate"].startswith("Bearer")


async def test_a_cached_token_expires(monkeypatch):
    tokens = Tokens(settings())
    token = signed(exp=datetime.now(UTC) - timedelta(seconds=20))  # within the leeway
    assert (await tokens.caller(token)).actor == "ann"
    monkeypatch.setattr("chassis.web.auth.LEEWAY", timedelta(0))
    with pytest.raises(Problem) as refused:
        await tokens.caller(token)
    assert refused.value.code == "token-expired"


@pytest.mark.parametrize("service", [sales(), delivery()], ids=lambda service: service.name)
def test_every_route_requires_a_token(service):
    app = create_app(service, settings())
    assert unguarded(app) == set()
    assert f"GET /{service.routes[0].path}/{{{service.routes[0].decider.kind}}}" in guarded(app)

    @app.get("/back-door")
    def back_door() -> None:
        pass

    assert unguarded(app) == {"GET /back-door"}

"""Tokens of identity providers: their claims, algorithms, keys, and whose account they name."""

import asyncio
import hmac
import json
import logging
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from chassis.base.settings import LOCAL_ISSUER
from chassis.base.token_issuers import TokenIssuer
from chassis.kafka.reference_data import ReferenceDataCache
from chassis.runtime.container import Container, handle_by_streams
from chassis.runtime.health import Condition
from chassis.runtime.service import create_app
from chassis.web import signing_keys
from chassis.web.auth import Caller, Tokens, issue
from chassis.web.problems import Problem
from chassis.web.signing_keys import published
from contracts.event import Recorded
from contracts.reference import PersonPublished, SignIn
from contracts.roles import Role
from testkit.matchers import recorded_as
from tests.component.sample_app import SECRET, sales, settings

ISSUER = "https://login.example/realms/concord"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
NOW = datetime.now(UTC)


def jwk(private: Any, kid: str, **more: str) -> dict[str, Any]:
    public = private.public_key()
    is_rsa = isinstance(public, rsa.RSAPublicKey)
    kind = jwt.algorithms.RSAAlgorithm if is_rsa else jwt.algorithms.ECAlgorithm
    return {**kind.to_jwk(public, as_dict=True), "kid": kid, **more}


class Provider:
    """An identity provider without a network: its answer for each issuer, or its failure."""

    def __init__(self) -> None:
        self.keys = [jwk(RSA, "rsa", use="sig"), jwk(P256, "ec"), jwk(P384, "p384")]
        self.is_away = False
        self.reads = 0

    def answer(self, issuer: str) -> str:
        self.reads += 1
        if self.is_away:
            raise httpx.ConnectError("no route to 10.0.0.7")
        return json.dumps({"keys": self.keys})


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    made = Provider()
    monkeypatch.setattr(signing_keys, "published", made.answer)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    made = SimpleNamespace(now=1000.0)
    monkeypatch.setattr(signing_keys, "_clock", lambda: made.now)
    return made


def token(
    private: Any = RSA,
    algorithm: str = "RS256",
    kid: str | None = "rsa",
    typ: str = "JWT",
    **claims: Any,
) -> str:
    given = {
        "iss": ISSUER,
        "aud": "concord",
        "sub": "f:1b9d6bcd:17",
        "iat": NOW,
        "exp": NOW + timedelta(minutes=5),
        **claims,
    }
    given = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(
        given, private, algorithm=algorithm, headers={"typ": typ} | ({"kid": kid} if kid else {})
    )


def person(id: str, *accounts: str, issuer: str = ISSUER) -> Recorded[Any]:
    sign_in = tuple(SignIn(issuer=issuer, name=name) for name in accounts)
    record = PersonPublished(person=id, name=id, department="sales", sign_in=sign_in)
    return recorded_as(record, id, 1, "oscar", NOW, {})


ANN = person("ann", "f:1b9d6bcd:17")


def checking(*records: Recorded[Any], **issuer: Any) -> Tokens:
    """Return the check of tokens of one issuer, with the records of people."""
    issuers = [TokenIssuer.model_validate({"issuer": ISSUER, **issuer})]
    people = ReferenceDataCache(records or (ANN,))
    return Tokens(settings(token_issuers=issuers), lambda: people)


async def refused(tokens: Tokens, given: str) -> tuple[int, str, str]:
    with pytest.raises(Problem) as problem:
        await tokens.caller(given)
    return problem.value.status_code, problem.value.code, str(problem.value.detail)


async def read(tokens: Tokens) -> None:
    """Wait until the keys that are being read were read."""
    async with asyncio.timeout(10):
        while tokens.problems():  # noqa: ASYNC110 - there is no event to wait for
            await asyncio.sleep(0)


KEYCLOAK = {"aud": ["account", "concord"], "azp": "planner", "preferred_username": "a.archer"}
USUAL: dict[str, tuple[dict[str, Any], dict[str, Any], str, set[Role]]] = {
    "keycloak, roles of the realm": (
        {"account_claim": "preferred_username", "roles_claim": ["realm_access", "roles"]},
        {**KEYCLOAK, "realm_access": {"roles": ["sales-manager", "offline_access"]}},
        "a.archer",
        {"sales-manager"},
    ),
    "keycloak, roles of the client": (
        {
            "account_claim": "preferred_username",
            "roles_claim": ["resource_access", "my.client", "roles"],
            "clients": ["planner"],
        },
        {**KEYCLOAK, "resource_access": {"my.client": {"roles": ["counsel"]}}},
        "a.archer",
        {"counsel"},
    ),
    "entra id": (
        {
            "issuer": "https://login.microsoftonline.com/7a1f/v2.0",
            "audience": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "account_claim": "oid",
        },
        {
            "iss": "https://login.microsoftonline.com/7a1f/v2.0",
            "aud": "6e74172b-be56-4843-9ff4-e66a39bb12e3",
            "oid": "690222be-ff1a-4d56-abd1-7e4f7d38e474",
            "sub": "HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ",
            "roles": ["consultant", "confidential"],
        },
        "690222be-ff1a-4d56-abd1-7e4f7d38e474",
        {"consultant", "confidential"},
    ),
    "okta": (
        {
            "issuer": "https://acme.okta.example/oauth2/default",
            "audience": "api://default",
            "roles_claim": "groups",
            "roles": {"Sales Managers": ["sales-manager", "account-executive"], "Legal": "counsel"},
        },
        {
            "iss": "https://acme.okta.example/oauth2/default",
            "aud": "api://default",
            "sub": "ann.archer@acme.example",
            "cid": "0oabucvy",
            "groups": ["Everyone", "Sales Managers", "operator"],
        },
        "ann.archer@acme.example",
        {"sales-manager", "account-executive"},
    ),
    "auth0": (
        {"issuer": "https://acme.auth0.example/", "roles_claim": "https://concord.example/roles"},
        {
            "iss": "https://acme.auth0.example/",
            "sub": "auth0|5f7c8ec7c33c6c004bbafe82",
            "https://concord.example/roles": ["executive"],
        },
        "auth0|5f7c8ec7c33c6c004bbafe82",
        {"executive"},
    ),
    "google": (
        {
            "issuer": "https://accounts.google.com",
            "audience": "1234.apps.googleusercontent.com",
            "account_claim": "sub",
            "roles_claim": "email",
            "roles": {"ann@acme.example": "controller"},
        },
        {
            "iss": "https://accounts.google.com",
            "aud": "1234.apps.googleusercontent.com",
            "azp": "1234.apps.googleusercontent.com",
            "sub": "110169484474386276334",
            "email": "ann@acme.example",
            "email_verified": True,
        },
        "110169484474386276334",
        {"controller"},
    ),
}


@pytest.mark.parametrize(("issuer", "claims", "account", "roles"), USUAL.values(), ids=USUAL.keys())
async def test_tokens_of_usual_providers_name_the_person_and_their_roles(
    provider: Provider,
    issuer: dict[str, Any],
    claims: dict[str, Any],
    account: str,
    roles: set[str],
) -> None:
    ann = person("ann", account, issuer=issuer.get("issuer", ISSUER))
    tokens = checking(ann, **issuer)
    assert await tokens.caller(token(**claims)) == Caller("ann", frozenset(roles))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "detail"),
    [
        ({"aud": None}, "no aud"),
        ({"aud": ["account"]}, "wrong audience"),
        ({"exp": None}, "no exp"),
        ({"iat": None}, "no iat"),
        ({"iss": None}, "no iss"),
        ({"iss": f"{ISSUER}/"}, "unknown issuer"),
        ({"azp": "another"}, "issued to another client"),
        ({"azp": None}, "issued to another client"),
        ({"typ": "logout+jwt"}, "no access token"),
        ({"account": 7}, "no account"),
        ({"account": ""}, "no account"),
        ({"account": "x" * 300}, "no account"),
        ({"roles": [7]}, "not a list of names"),
        ({"private": OTHER_RSA}, "wrong signature"),
        ({"kid": "another"}, "unknown signing key"),
        ({"algorithm": "RS512"}, "wrong signature"),
        ({"private": P384, "algorithm": "ES384", "kid": "p384"}, "unknown signing key"),
        ({"private": P256, "algorithm": "ES256", "kid": "rsa"}, "wrong signature"),
        ({"private": "x" * 64, "algorithm": "HS256"}, "wrong signature"),
        ({"private": "", "algorithm": "none"}, "wrong signature"),
    ],
)
async def test_an_invalid_token_is_refused_with_the_reason(
    provider: Provider, given: dict[str, Any], detail: str
) -> None:
    tokens = checking(account_claim="account", clients=["planner"])
    made = token(**{"azp": "planner", "account": "f:1b9d6bcd:17", **given})
    status, code, said = await refused(tokens, made)
    assert (status, code) == (401, "invalid-token")
    assert detail in said


@pytest.mark.parametrize(
    ("private", "algorithm", "kid"),
    [(RSA, "RS256", "rsa"), (RSA, "PS256", "rsa"), (P256, "ES256", "ec")],
)
async def test_tokens_are_signed_with_rsa_or_p256(
    provider: Provider, private: Any, algorithm: str, kid: str
) -> None:
    assert (await checking().caller(token(private, algorithm, kid))).actor == "ann"


async def test_a_key_verifies_what_it_was_published_for(provider: Provider) -> None:
    provider.keys = [jwk(RSA, "rsa", alg="PS256"), jwk(OTHER_RSA, "encrypts", use="enc")]
    tokens = checking()
    assert (await tokens.caller(token(RSA, "PS256"))).actor == "ann"
    assert (await refused(tokens, token()))[2] == "wrong signature"
    assert (await refused(tokens, token(OTHER_RSA, kid="encrypts")))[2] == "unknown signing key"


async def test_a_token_may_omit_the_id_of_the_only_key(provider: Provider) -> None:
    assert (await refused(checking(), token(kid=None)))[2] == "unknown signing key"
    provider.keys = [jwk(RSA, "rsa")]
    assert (await checking().caller(token(kid=None))).actor == "ann"


async def test_no_token_is_forged_with_the_public_key_as_a_secret(provider: Provider) -> None:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    public = RSA.public_key().public_bytes(serialization.Encoding.PEM, form)
    header = jwt.utils.base64url_encode(b'{"alg":"HS256","typ":"JWT","kid":"rsa"}').decode()
    body = f"{header}.{token().split('.')[1]}"
    forged = hmac.digest(public, body.encode(), "sha256")
    given = f"{body}.{jwt.utils.base64url_encode(forged).decode()}"
    assert (await refused(checking(), given))[2] == "wrong signature"


async def test_an_address_that_is_not_verified_names_nobody(provider: Provider) -> None:
    tokens = checking(person("ann", "ann@acme.example"), account_claim="email")
    address = {"email": "ann@acme.example"}
    assert (await tokens.caller(token(**address, email_verified=True))).actor == "ann"
    for unverified in (False, None, "true"):
        said = (await refused(tokens, token(**address, email_verified=unverified)))[2]
        assert said == "the token's e-mail address is not verified"


async def test_tokens_of_the_secret_and_of_an_issuer_are_accepted_side_by_side(
    provider: Provider,
) -> None:
    issuers = [TokenIssuer(issuer=ISSUER, account_is="id")]
    both = Tokens(settings(token_issuers=issuers, token_secret=SECRET))
    only = Tokens(settings(token_issuers=issuers))
    local = issue(SECRET, "bob", ("operator",), issuer=LOCAL_ISSUER, now=NOW)
    assert (await both.caller(local)).actor == "bob"
    assert (await both.caller(token(sub="ann"))).actor == "ann"
    assert (await refused(only, local))[2] == "unknown issuer"
    for forged in (token(SECRET, "HS256"), token(iss=LOCAL_ISSUER)):
        assert (await refused(both, forged))[2] == "wrong signature"


# ---- whose account it is ---------------------------------------------------------------------


async def test_an_account_without_a_person_is_refused_with_what_to_do(provider: Provider) -> None:
    bob = person("bob", "f:1b9d6bcd:17", issuer="https://partner.example")
    status, code, detail = await refused(checking(bob), token())
    assert (status, code) == (403, "sign-in-unknown")
    assert f"f:1b9d6bcd:17 of {ISSUER}" in detail
    assert "`sign_in`" in detail


async def test_an_account_on_record_for_two_people_is_nobodys(provider: Provider) -> None:
    tokens = checking(ANN, person("bob", "f:1b9d6bcd:17"))
    assert (await refused(tokens, token()))[1] == "sign-in-unknown"


async def test_a_person_is_admitted_from_their_record_until_they_are_erased(
    provider: Provider,
) -> None:
    people = ReferenceDataCache()
    issuers = [TokenIssuer(issuer=ISSUER)]
    tokens = Tokens(settings(token_issuers=issuers), lambda: people)
    given = token()
    assert (await refused(tokens, given))[1] == "sign-in-unknown"
    people.put(ANN)
    assert (await tokens.caller(given)).actor == "ann"
    people.remove("person:ann@1")
    assert (await refused(tokens, given))[1] == "sign-in-unknown"


async def test_programs_and_the_first_person_have_their_id_in_the_settings(
    provider: Provider,
) -> None:
    tokens = checking(ids={"service-account-crm": "crm-import"}, account_claim="client")
    assert (await tokens.caller(token(client="service-account-crm"))).actor == "crm-import"


async def test_an_account_that_is_an_id_needs_no_record_and_is_no_address(
    provider: Provider,
) -> None:
    tokens = checking(account_is="id")
    assert (await tokens.caller(token(sub="zoe"))).actor == "zoe"
    said = (await refused(tokens, token(sub="zoe@acme.example")))[2]
    assert "not an e-mail address" in said


async def test_nobody_is_called_unknown_before_the_records_were_read(provider: Provider) -> None:
    app = create_app(sales(), settings(token_issuers=[TokenIssuer(issuer=ISSUER)]))
    app.state.container = SimpleNamespace(waits_for="reference data were never read")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://sales",
        headers={"Authorization": f"Bearer {token()}"},
    ) as client:
        answer = await client.get("/engagements")
    assert (answer.status_code, answer.json()["code"]) == (503, "starting")
    assert answer.headers["content-type"] == "application/problem+json"


# ---- keys ------------------------------------------------------------------------------------


async def test_a_service_starts_while_the_provider_is_away_and_reports_it(
    provider: Provider, clock: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    provider.is_away = True
    tokens = checking()
    container = Container(
        name="sales",
        settings=settings(),
        deciders=(),
        event_handling=handle_by_streams,
        tokens=tokens,
    )
    with caplog.at_level(logging.WARNING):
        status, code, detail = await refused(tokens, token())
    assert (status, code) == (503, "issuer-away")
    assert "10.0.0.7" not in detail
    assert f"{ISSUER}: no route" in caplog.text
    found = await container.checks["tokens"]()
    reason = f"the keys of {ISSUER} cannot be read: ConnectError"
    assert found == Condition(reason, degraded=False)

    provider.is_away = False
    clock.now += signing_keys.READ_AT_MOST_EVERY
    await container.checks["tokens"]()  # begins to read, without a request
    await read(tokens)
    assert (await tokens.caller(token())).actor == "ann"


async def test_keys_are_rotated_and_kept_while_the_provider_is_away(
    provider: Provider, clock: SimpleNamespace
) -> None:
    tokens = checking()
    assert (await tokens.caller(token())).actor == "ann"
    provider.keys = [jwk(OTHER_RSA, "new")]
    clock.now += signing_keys.READ_AT_MOST_EVERY
    assert (await tokens.caller(token(OTHER_RSA, kid="new"))).actor == "ann"
    assert (await refused(tokens, token()))[2] == "unknown signing key"  # also in the cache

    provider.is_away = True
    clock.now += signing_keys.ISSUER_AT_LEAST_EVERY
    tokens.problems()  # begins to read
    async with asyncio.timeout(10):
        while provider.reads < 3 or not tokens.problems():  # noqa: ASYNC110 - no event
            await asyncio.sleep(0)
    assert tokens.problems() == {f"the keys of {ISSUER} cannot be read: ConnectError": False}
    assert (await tokens.caller(token(OTHER_RSA, kid="new"))).actor == "ann"


async def test_a_flood_of_unknown_keys_asks_the_provider_once_in_ten_seconds(
    provider: Provider, clock: SimpleNamespace
) -> None:
    tokens = checking()
    flood = [token(OTHER_RSA, kid=f"unknown-{number}") for number in range(30)]
    for _ in range(2):
        said = await asyncio.gather(*(refused(tokens, each) for each in flood))
        assert {detail for _, _, detail in said} == {"unknown signing key"}
    assert provider.reads == 1
    clock.now += signing_keys.READ_AT_MOST_EVERY
    await asyncio.gather(*(refused(tokens, each) for each in flood))
    assert provider.reads == 2


CONFIGURATION = f"{ISSUER}/.well-known/openid-configuration"
KEYS = "https://login.example/keys"


def answering(monkeypatch: pytest.MonkeyPatch, **answers: httpx.Response) -> list[str]:
    """Answer requests without a network; return the addresses as they are asked."""
    asked: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return answers["configuration" if request.url.path.endswith("configuration") else "keys"]

    client = partial(httpx.Client, transport=httpx.MockTransport(answer))
    monkeypatch.setattr("chassis.web.signing_keys.httpx.Client", client)
    return asked


def configuration(issuer: object = ISSUER, jwks_uri: object = KEYS) -> httpx.Response:
    return httpx.Response(200, json={"issuer": issuer, "jwks_uri": jwks_uri})


def test_the_address_of_an_issuer_leads_to_its_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = httpx.Response(200, text='{"keys": []}')
    asked = answering(monkeypatch, configuration=configuration(), keys=keys)
    assert published(ISSUER) == '{"keys": []}'
    assert asked == [CONFIGURATION, KEYS]


def test_the_address_of_an_issuer_may_end_with_a_slash(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = httpx.Response(200, text="{}")
    asked = answering(monkeypatch, configuration=configuration(f"{ISSUER}/"), keys=keys)
    published(f"{ISSUER}/")
    assert asked == [CONFIGURATION, KEYS]


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"configuration": configuration("https://other.example")}, "is of the issuer 'https://o"),
        ({"configuration": configuration(jwks_uri="http://login.example/keys")}, "begin with http"),
        ({"configuration": configuration(jwks_uri=None)}, "jwks_uri None is missing"),
        ({"configuration": httpx.Response(302, headers={"Location": KEYS})}, "answers 302"),
        ({"configuration": httpx.Response(200, text="<html>")}, "Expecting value"),
        ({"configuration": httpx.Response(200, json=[])}, "is of the issuer None"),
        (
            {"configuration": configuration(), "keys": httpx.Response(200, content=b"x" * 2**21)},
            "too much or too slowly",
        ),
    ],
)
def test_an_answer_that_is_not_as_the_standard_says_is_refused(
    monkeypatch: pytest.MonkeyPatch, answers: dict[str, httpx.Response], why: str
) -> None:
    answering(monkeypatch, **answers)
    with pytest.raises(ValueError, match=why):
        published(ISSUER)


def test_keys_that_are_too_short_or_of_another_kind_verify_nothing() -> None:
    short = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
    with pytest.raises(ValueError, match="no public keys for RS256, PS256 or ES256"):
        signing_keys.parse(json.dumps({"keys": [jwk(short, "a"), jwk(P384, "b"), shared]}))

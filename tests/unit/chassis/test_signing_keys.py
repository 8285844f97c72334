"""Rotation of signing keys while a service runs: new ones are read, old ones dropped."""

import asyncio
import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from chassis.base.settings import UnsafeSettings
from chassis.base.token_issuers import TokenIssuer
from chassis.web import signing_keys
from chassis.web.auth import AUDIENCE, Tokens
from chassis.web.problems import Problem
from tests.component.sample_app import settings

ISSUER = "https://login.example"
PRIVATE = {
    name: rsa.generate_private_key(public_exponent=65537, key_size=2048) for name in ("a", "b")
}


class Issuer:
    """An issuer that publishes keys in a file and signs tokens with them."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.settings = TokenIssuer(issuer=ISSUER, keys=file, account_is="id")

    def publish(self, *names: str) -> None:
        documents = [
            {
                **jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE[name].public_key(), as_dict=True),
                "kid": name,
                "use": "sig",
            }
            for name in names
        ]
        self.file.write_text(json.dumps({"keys": documents}))

    def publish_pem(self, name: str) -> None:
        pem = serialization.Encoding.PEM
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        self.file.write_bytes(PRIVATE[name].public_key().public_bytes(pem, kind))

    def token(self, name: str, kid: str | None = None) -> str:
        now = datetime.now(UTC)
        claims: dict[str, Any] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": "ann",
            "iat": now,
            "exp": now + timedelta(hours=1),
        }
        return jwt.encode(claims, PRIVATE[name], algorithm="RS256", headers={"kid": kid or name})


class Clock:
    """The clock that limits how often the file is read; a test advances it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("chassis.web.signing_keys._clock", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Return the times at which the file was read, without the first read at the start."""
    moments: list[float] = []
    original = asyncio.to_thread

    async def counted(work: Any, *given: Any) -> Any:
        moments.append(time.perf_counter())
        return await original(work, *given)

    monkeypatch.setattr("chassis.web.signing_keys.asyncio.to_thread", counted)
    return moments


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    made = Issuer(tmp_path / "keys.json")
    made.publish("a")
    return made


async def accepts(tokens: Tokens, token: str) -> bool:
    try:
        return (await tokens.caller(token)).actor == "ann"
    except Problem as problem:
        if (problem.status_code, problem.code) != (401, "invalid-token"):
            raise
        return False


async def test_a_new_key_is_read_the_old_one_dropped_and_restored(
    issuer: Issuer, clock: Clock
) -> None:
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    by_a, by_b = issuer.token("a"), issuer.token("b")
    assert await accepts(tokens, by_a)

    issuer.publish("b")
    assert await accepts(tokens, by_b)
    assert not await accepts(tokens, by_a)  # although it is in the cache

    clock.now += signing_keys.READ_AT_MOST_EVERY
    issuer.publish("a", "b")
    assert await accepts(tokens, by_a)
    assert await accepts(tokens, by_b)


async def test_a_key_that_is_replaced_under_the_same_id_is_read(
    issuer: Issuer, clock: Clock
) -> None:
    issuer.publish_pem("a")
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    assert await accepts(tokens, issuer.token("a"))

    issuer.publish_pem("b")

    assert await accepts(tokens, issuer.token("b"))


async def test_a_withdrawn_key_is_dropped_even_if_no_token_has_a_new_one(
    issuer: Issuer, clock: Clock
) -> None:
    issuer.publish("a", "b")
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    by_a, by_b = issuer.token("a"), issuer.token("b")
    assert await accepts(tokens, by_a)
    issuer.publish("b")

    clock.now += signing_keys.FILE_AT_LEAST_EVERY
    assert await accepts(tokens, by_b)  # starts the read without waiting for it
    async with asyncio.timeout(10):
        while await accepts(tokens, by_a):  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0)


async def test_a_flood_of_unknown_keys_reads_the_file_once_in_ten_seconds(
    issuer: Issuer, clock: Clock, reads: list[float]
) -> None:
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    flood = [issuer.token("b", f"unknown-{number}") for number in range(50)]

    assert not any(await asyncio.gather(*(accepts(tokens, token) for token in flood)))
    assert not any([await accepts(tokens, token) for token in flood])
    assert len(reads) == 1

    clock.now += signing_keys.READ_AT_MOST_EVERY - 0.1
    assert not await accepts(tokens, flood[0])
    assert len(reads) == 1
    clock.now += 0.1
    assert not await accepts(tokens, flood[0])
    assert len(reads) == 2


@pytest.mark.parametrize("content", [None, "", "{", '{"keys": []}', "[" * 100_000, '{"keys": 7}'])
async def test_the_present_keys_are_kept_if_the_file_cannot_be_read(
    issuer: Issuer, clock: Clock, content: str | None
) -> None:
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    if content is None:
        issuer.file.unlink()
    else:
        issuer.file.write_text(content)

    assert not await accepts(tokens, issuer.token("b"))
    assert await accepts(tokens, issuer.token("a"))

    clock.now += signing_keys.READ_AT_MOST_EVERY
    issuer.publish("a", "b")
    assert await accepts(tokens, issuer.token("b"))


async def test_a_read_that_hangs_delays_no_request_with_a_known_key(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = Tokens(settings(token_issuers=[issuer.settings]))
    never = asyncio.Event()

    async def hang(*_: Any) -> str:
        await never.wait()
        return ""

    monkeypatch.setattr("chassis.web.signing_keys.asyncio.to_thread", hang)
    monkeypatch.setattr(signing_keys, "_WAIT", 0.05)
    asking = asyncio.create_task(accepts(tokens, issuer.token("b")))
    await asyncio.sleep(0)
    assert await accepts(tokens, issuer.token("a"))
    assert not await asyncio.wait_for(asking, 5)
    never.set()


@pytest.mark.parametrize("content", ["", "nothing", '{"keys": []}', '{"keys": [{"kty": "oct"}]}'])
def test_a_service_does_not_start_on_a_file_without_public_keys(
    issuer: Issuer, content: str
) -> None:
    issuer.file.write_text(content)
    with pytest.raises(
        UnsafeSettings, match=r"CONCORD_TOKEN_ISSUERS: \S+keys.json: contains no public"
    ):
        Tokens(settings(token_issuers=[issuer.settings]))


@pytest.mark.parametrize("as_pem", [True, False])
def test_a_private_key_is_refused(issuer: Issuer, as_pem: bool) -> None:
    if as_pem:
        pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        nothing = serialization.NoEncryption()
        issuer.file.write_bytes(PRIVATE["a"].private_bytes(pem, kind, nothing))
    else:
        key = jwt.algorithms.RSAAlgorithm.to_jwk(PRIVATE["a"], as_dict=True)
        issuer.file.write_text(json.dumps({"keys": [{**key, "kid": "a"}]}))
    with pytest.raises(UnsafeSettings, match="private key"):
        Tokens(settings(token_issuers=[issuer.settings]))

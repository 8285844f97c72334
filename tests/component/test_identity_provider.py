"""A process of an OpenID Connect provider: sign-in, discovery, rotation, and while it is away."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import Depends

from chassis.base.token_issuers import TokenIssuer
from chassis.kafka.reference_data import ReferenceDataCache
from chassis.runtime.service import create_app
from chassis.web import signing_keys
from chassis.web.auth import Caller, requires
from contracts.reference import PersonPublished, SignIn
from local.paths import HOST, free_port
from testkit.matchers import recorded_as
from tests.component.sample_app import sales, settings, until

CLIENT = "planner"
PAGE = "http://127.0.0.1:5173/signed-in"
USER = {"sub": "0b6c7a", "preferred_username": "a.archer", "realm": {"roles": ["sales-manager"]}}


class Provider:
    """A provider that has new keys whenever it is started."""

    def __init__(self, log: Path) -> None:
        self._port, self._log = free_port(), log
        self.issuer = f"http://{HOST}:{self._port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the process; raises httpx.ConnectError if it does not answer within half a minute."""
        program = [sys.executable, "-m", "oidc_provider_mock", "--port", str(self._port)]
        with self._log.open("ab") as log:
            process = subprocess.Popen(
                [*program, "--user-claims", json.dumps(USER)], stdout=log, stderr=log
            )
        try:
            with httpx.Client(transport=httpx.HTTPTransport(retries=6)) as client:
                client.get(f"{self.issuer}/.well-known/openid-configuration").raise_for_status()
            yield
        finally:
            process.terminate()
            process.wait(10)

    def sign_in(self) -> str:
        """Return the id token of the user, by the authorization code flow."""
        with httpx.Client(base_url=self.issuer) as client:
            asked = {"client_id": CLIENT, "redirect_uri": PAGE, "response_type": "code"}
            asked["scope"] = "openid profile"
            form = {"sub": USER["sub"]}
            redirected = client.post("/oauth2/authorize", params=asked, data=form)
            (code,) = parse_qs(urlsplit(redirected.headers["location"]).query)["code"]
            grant = {"grant_type": "authorization_code", "code": code, "redirect_uri": PAGE}
            answer = client.post("/oauth2/token", data=grant, auth=(CLIENT, "secret"))
            return str(answer.raise_for_status().json()["id_token"])


@asynccontextmanager
async def service(issuer: str) -> AsyncIterator[httpx.AsyncClient]:
    """Yield a client of a service with a route that answers who calls; Ann is on record."""
    account = SignIn(issuer=issuer, name="a.archer")
    ann = PersonPublished(person="ann", name="Ann", department="sales", sign_in=(account,))
    described = {
        "issuer": issuer,
        "audience": CLIENT,
        "account_claim": "preferred_username",
        "roles_claim": ["realm", "roles"],
    }
    app = create_app(sales(), settings(token_issuers=[TokenIssuer.model_validate(described)]))
    records = ReferenceDataCache([recorded_as(ann, "ann", 1, "oscar", datetime.now(UTC), {})])
    app.state.container = SimpleNamespace(waits_for=None, reference_data=records)
    guard = requires("sales-manager")

    @app.get("/caller")
    async def caller(who: Caller = Depends(guard)) -> str:  # noqa: B008 - how FastAPI reads it
        return who.actor

    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sales") as client:
        yield client


async def test_a_person_signs_in_while_keys_change_and_the_provider_comes_and_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(signing_keys, "READ_AT_MOST_EVERY", 0.1)
    provider = Provider(tmp_path / "provider.log")
    with provider.running():
        old = provider.sign_in()

    async with service(provider.issuer) as client:

        async def answer(token: str) -> tuple[int, str]:
            got = await client.get("/caller", headers={"Authorization": f"Bearer {token}"})
            return got.status_code, got.json() if got.is_success else got.json()["code"]

        async def admits(token: str) -> bool:
            return await answer(token) == (200, "ann")

        assert await answer(old) == (503, "issuer-away")

        for _ in range(2):  # the provider is started with other keys each time
            with provider.running():
                new = await asyncio.to_thread(provider.sign_in)
                await until(lambda new=new: admits(new), within=10)  # type: ignore[misc]
                assert await answer(old) == (401, "invalid-token")
            old = new
        await asyncio.sleep(0.2)
        assert await admits(new)  # by the keys that were read last

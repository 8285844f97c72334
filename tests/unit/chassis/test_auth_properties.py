"""Any claims in a correctly signed token, and any bytes in the header, are accepted or a 401."""

import asyncio
import json
import time
from typing import Any

import httpx
import jwt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from chassis.base.settings import LOCAL_ISSUER
from chassis.runtime.service import create_app
from chassis.web.auth import AUDIENCE, Tokens
from chassis.web.problems import Problem
from tests.component.sample_app import SECRET, sales, settings

TOKENS = Tokens(settings())
NAMES = ("exp", "nbf", "iat", "sub", "roles", "aud", "iss", "jti")

extremes = st.sampled_from(
    [
        *("null", "true", "false", "NaN", "Infinity", "-Infinity", "1e400", "-1e400", "1e308"),
        *("0", "-0.0", "-1", str(2**53), str(2**63), str(-(2**63)), "9" * 4000, "9" * 5000),
        *(
            '""',
            '"123"',
            f'"{2**33}"',
            '"NaN"',
            '"\\ud800"',
            '"\\u0000"',
            '"٣"',
            "[]",
            "[[]]",
            "{}",
        ),
        *('["concord"]', '["\\udfff"]', "[7]", '{"a": 1}', "[" * 20_000 + "]" * 20_000),
    ]
)
values = extremes | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
).map(json.dumps)


def signed(claims: dict[str, str], header: dict[str, Any] | None = None) -> str:
    """Return a token in which these pieces of JSON replace valid claims."""
    now = int(time.time())
    valid = {"iss": LOCAL_ISSUER, "aud": AUDIENCE, "sub": "ann", "iat": now, "exp": now + 3600}
    pieces = {name: json.dumps(value) for name, value in valid.items()} | claims
    text = ", ".join(f"{json.dumps(name)}: {piece}" for name, piece in pieces.items())
    return jwt.PyJWS().encode(f"{{{text}}}".encode(), SECRET, algorithm="HS256", headers=header)


def checked(token: str) -> Problem | None:
    """Return the problem for which a token is refused, or None; fail for any other error."""
    problem: Problem | None = None
    try:
        asyncio.run(TOKENS.caller(token))
    except Problem as refused:
        problem = refused
    if problem is not None:
        assert problem.status_code == 401
        assert problem.code in {"invalid-token", "token-expired"}
        assert problem.detail
    return problem


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=5), values, max_size=4))
@example({"exp": "1e400"})
@example({"exp": f'"{2**33}"'})
@example({"iat": "-1e400"})
@example({"nbf": "null"})
@example({"exp": "true", "iat": "false"})
def test_any_claims(claims: dict[str, str]) -> None:
    checked(signed(claims))


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize(
    "piece", ['"123"', "[]", "{}", "NaN", "Infinity", "1e400", "-1e400", "true", str(2**63)]
)
def test_an_invalid_time_is_named_in_the_detail(name: str, piece: str) -> None:
    problem = checked(signed({name: piece}))
    assert problem is not None
    assert problem.detail == f"the token's {name} must be a number of seconds since 1970"


def test_times_may_have_fractions_of_a_second() -> None:
    now = time.time()
    fractions = {"iat": f"{now - 0.25:.3f}", "exp": f"{now + 60.5:.3f}", "nbf": f"{now - 0.5:.3f}"}
    assert checked(signed(fractions)) is None


@given(
    st.dictionaries(
        st.sampled_from(["kid", "typ", "cty", "crit", "x5t", "jku", "alg"]),
        st.sampled_from([None, 7, [], ["b64"], {}, "\ud800", "x", 1e300, True]),
        max_size=3,
    )
)
def test_any_header_of_the_token(header: dict[str, Any]) -> None:
    first, body, signature = signed({}).split(".")
    odd = json.dumps({**json.loads(jwt.utils.base64url_decode(first)), **header})
    checked(f"{jwt.utils.base64url_encode(odd.encode()).decode()}.{body}.{signature}")


@given(st.text(max_size=60) | st.lists(st.text(max_size=20), min_size=3, max_size=3).map(".".join))
def test_any_text(text: str) -> None:
    assert checked(text) is not None


@pytest.mark.parametrize(
    "header",
    [
        *(b"", b"Bearer", b"Bearer ", b"Bearer  ", b"bearer a.b.c", b"Basic YTpi", b"Bearer \xff"),
        *(b"\xff\xfe", b"Bearer a b c", b"Bearer " + b"." * 2000, b"Bearer " + b"e30." * 5000),
        *(b"Bearer " + signed({"exp": piece}).encode() for piece in ("[]", "NaN", "1e400", '"9"')),
    ],
)
async def test_any_authorization_header(header: bytes) -> None:
    app = create_app(sales(), settings())
    transport = httpx.ASGITransport(app=app)  # raises exceptions that the service does not handle
    async with httpx.AsyncClient(transport=transport, base_url="http://sales") as client:
        answer = await client.get("/engagements", headers={b"Authorization": header})
    assert answer.status_code == 401
    assert answer.json()["code"] in {"token-missing", "invalid-token"}
    assert answer.headers["WWW-Authenticate"].startswith('Bearer realm="concord"')

"""Test the environment for a platform in containers or on a cluster."""

from pathlib import Path

import pytest

from local.platform import SERVICES
from local.remote import NoKeyError, remote_environment

SECRET = "m7Zx-Rk1v_9qLw3TbY8sNc2HdJ5gPfQe"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return tmp_path / ".env"


@pytest.mark.parametrize("line", ["CONCORD_TOKEN_SECRET={}", "secret={}", "secret='{}' # ours"])
def test_the_secret_is_read_from_the_file_of_compose_or_of_the_overlay(
    key: Path, line: str
) -> None:
    key.write_text(f"# a comment\n\n{line.format(SECRET)}\n")
    variables = remote_environment(key, {})
    assert variables["CONCORD_TOKEN_SECRET"] == SECRET
    assert variables["CONCORD_GATEWAY_URL"] == "http://127.0.0.1:8100"
    assert {f"CONCORD_{name.upper()}_URL" for name in SERVICES} < set(variables)


def test_addresses_come_from_the_environment_then_from_the_ports(key: Path) -> None:
    key.write_text(f"secret={SECRET}\nCONCORD_SALES_PORT=9101\nCONCORD_LEGAL_PORT=9102\n")
    variables = remote_environment(
        key, {"CONCORD_LEGAL_PORT": "9202", "CONCORD_GATEWAY_URL": "https://gateway.example"}
    )
    assert variables["CONCORD_SALES_URL"] == "http://127.0.0.1:9101"
    assert variables["CONCORD_LEGAL_URL"] == "http://127.0.0.1:9202"
    assert variables["CONCORD_GATEWAY_URL"] == "https://gateway.example"
    assert variables["CONCORD_DELIVERY_URL"] == "http://127.0.0.1:8103"


@pytest.mark.parametrize("content", [None, b"", b"CONCORD_TOKEN_SECRET=\n", b"\xff\xfe", b"x"])
def test_a_file_without_the_secret_is_named(key: Path, content: bytes | None) -> None:
    if content is not None:
        key.write_bytes(content)
    with pytest.raises(NoKeyError, match=r"\.env (has no line CONCORD_TOKEN|cannot be read)"):
        remote_environment(key, {})

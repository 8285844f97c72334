"""Kafka credentials: every Kafka client is created with the account of its process."""

import ast
from pathlib import Path

import pytest
from pydantic import SecretStr

from chassis.base.settings import KafkaSettings, UnsafeSettings
from chassis.kafka.credentials import arguments, identity

PROJECT = Path(__file__).parents[3]
CLIENTS = {"AIOKafkaConsumer", "AIOKafkaProducer", "AIOKafkaAdminClient", "KafkaBroker"}


def clients_in(file: Path) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in CLIENTS
    ]


def has_credentials(call: ast.Call) -> bool:
    return any(
        keyword.arg == "security"
        or (keyword.arg is None and ast.unparse(keyword.value).startswith("arguments("))
        for keyword in call.keywords
    )


def test_every_client_has_credentials() -> None:
    files = [*(PROJECT / "libs").rglob("*.py"), *(PROJECT / "services").rglob("*.py")]
    calls = {file.name: clients_in(file) for file in files if clients_in(file)}
    users = {"consumer_settings", "outbox_relay", "reference_feed", "topics", "acls"}
    assert {f"{name}.py" for name in users} == set(calls)
    assert all(has_credentials(call) for every in calls.values() for call in every)


def test_without_an_account_there_are_no_credentials() -> None:
    assert arguments(identity(KafkaSettings())) == {}


def test_a_file_that_is_no_certificate_is_refused(tmp_path: Path) -> None:
    for content in (None, "nothing of the kind"):
        file = tmp_path / "ca.crt"
        if content is not None:
            file.write_text(content)
        settings = KafkaSettings(
            kafka_user="concord-sales", kafka_password=SecretStr("x"), kafka_ca=file
        )
        with pytest.raises(UnsafeSettings, match=f"CONCORD_KAFKA_CA: {file}"):
            identity(settings)

"""Unsafe settings are refused with a message, and secrets are never shown."""

import json
import os

import pytest

from chassis.base.settings import KafkaSettings, Settings, UnsafeSettings

SECRET = "b7Hq2vXz0LkTn5RwYpCs8DfGjMa3EuIo6QxW1ZyV4tNc"


def issuers(issuer: str = "https://login.example/realms/concord", **more: object) -> str:
    return json.dumps([{"issuer": issuer, **more}])


@pytest.fixture
def environment(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in list(os.environ):
        if name.startswith("CONCORD_"):
            monkeypatch.delenv(name)

    def given(**values):
        for name, value in {"token_secret": SECRET, **values}.items():
            if value is None:
                monkeypatch.delenv(f"CONCORD_{name.upper()}", raising=False)
            else:
                monkeypatch.setenv(f"CONCORD_{name.upper()}", value)

    return given


def test_issuers_are_read_beside_the_secret_of_this_machine(environment):
    environment(token_issuers=issuers("http://127.0.0.1:8080", roles={"Sellers": "sales-manager"}))
    settings = Settings.from_environment()
    assert settings.token_secret is not None
    (read,) = settings.token_issuers
    assert (read.issuer, read.audience) == ("http://127.0.0.1:8080", ("concord",))
    assert read.roles == {"Sellers": ("sales-manager",)}


def test_safe_settings_are_read(environment):
    environment(kafka_bootstrap="127.0.0.1:1,127.0.0.1:2", replication="3", service_port="8080")
    settings = Settings.from_environment()
    assert settings.service_host == "127.0.0.1"
    assert settings.replication == 3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"token_secret": None}, "CONCORD_TOKEN_SECRET"),
        ({"token_secret": "short"}, "CONCORD_TOKEN_SECRET: must have at least 32 bytes"),
        ({"token_secret": "changeme" * 8}, "CONCORD_TOKEN_SECRET: can be guessed"),
        ({"token_secret": "a" * 64}, "CONCORD_TOKEN_SECRET: can be guessed"),
        ({"service_host": "0.0.0.0"}, "CONCORD_SERVICE_HOST: must be 127.0.0.1"),  # noqa: S104
        ({"mode": "production"}, "CONCORD_REPLICATION: must be at least 3"),
        ({"mode": "production", "replication": "3"}, "CONCORD_TOKEN_ISSUERS: must have"),
        ({"mode": "production", "replication": "3"}, "CONCORD_SCHEMAS_URL: must begin with https"),
        ({"schemas_url": "https://concord.example/schemas/"}, "CONCORD_SCHEMAS_URL: "),
        ({"schemas_url": "concord.example/schemas"}, "CONCORD_SCHEMAS_URL: "),
        ({"token_issuers": "https://login.example"}, "CONCORD_TOKEN_ISSUERS: must be a JSON list"),
        ({"token_issuers": "7"}, "CONCORD_TOKEN_ISSUERS: "),
        ({"token_issuers": issuers("http://login.example")}, "0.issuer: must begin with https://"),
        ({"token_issuers": issuers("login.example")}, "0.issuer: must be an address such as"),
        ({"token_issuers": issuers("https://a@login.example")}, "0.issuer: must be an address"),
        ({"token_issuers": issuers("https://login.example?x=1")}, "0.issuer: must be an address"),
        (
            {"token_issuers": '[{"issuer": "https://a.example"}, {"issuer": "https://a.example"}]'},
            "CONCORD_TOKEN_ISSUERS: https://a.example appears more than once",
        ),
        ({"token_issuers": issuers(roles={"Staff": "boss"})}, "0.roles.Staff.0: Input should be"),
        ({"token_issuers": issuers(ids={"a": "a@b.example"})}, "CONCORD_TOKEN_ISSUERS: 0.ids.a: "),
        ({"token_issuers": issuers(audience=[])}, "CONCORD_TOKEN_ISSUERS: 0.audience: "),
        ({"token_issuers": issuers(algorithms=["none"])}, "0.algorithms: Extra inputs are not"),
        ({"cors_origins": "*"}, "CONCORD_CORS_ORIGINS: must be origins such as"),
        ({"cors_origins": "https://a.example,"}, "CONCORD_CORS_ORIGINS: must be origins such as"),
        ({"cors_origins": "https://a.example/"}, "CONCORD_CORS_ORIGINS: must be origins such as"),
        ({"cors_origins": "null"}, "CONCORD_CORS_ORIGINS: must be origins such as"),
        ({"cors_origins": "http://a.example"}, "http://a.example must begin with https://"),
        ({"service_port": "99999"}, "CONCORD_SERVICE_PORT"),
        ({"kafka_bootstrap": "http://x"}, "CONCORD_KAFKA_BOOTSTRAP: must be host:port"),
        ({"store_url": "mysql://x"}, "CONCORD_STORE_URL: must begin with"),
        ({"store_url": "mongodb://h/?w=1"}, "CONCORD_STORE_URL: must not weaken"),
        ({"topic_prefix": "a b"}, "CONCORD_TOPIC_PREFIX"),
        ({"kafka_user": "concord-sales"}, "CONCORD_KAFKA_PASSWORD: must be set as well"),
        ({"kafka_ca": "/ca.pem"}, "CONCORD_KAFKA_USER: must be set as well"),
    ],
)
def test_unsafe_settings_are_refused_with_a_message(environment, given, message):
    environment(**given)
    with pytest.raises(UnsafeSettings) as refused:
        Settings.from_environment()
    assert message in str(refused.value)
    for secret in ("changeme", SECRET):
        assert secret not in str(refused.value)


PRODUCTION = {
    "mode": "production",
    "replication": "3",
    "token_secret": None,
    "token_issuers": issuers(),
    "schemas_url": "https://concord.example/schemas",
    "store_url": "mongodb://sales:hunter2@one,two/?replicaSet=concord",
    "kafka_user": "concord-sales",
    "kafka_password": "hunter2",
    "kafka_ca": "/ca.pem",
}


def test_production_with_all_accounts_is_accepted(environment):
    environment(**PRODUCTION)
    assert Settings.from_environment().mode == "production"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kafka_user": None}, "CONCORD_KAFKA_USER: name the Kafka account"),
        ({"kafka_password": ""}, "CONCORD_KAFKA_PASSWORD: give the password"),
        ({"kafka_ca": None}, "CONCORD_KAFKA_CA: name a file"),
        ({"store_url": None}, "CONCORD_STORE_URL: must name an account"),
        ({"store_url": "mongodb://one,two/?w=majority"}, "CONCORD_STORE_URL: must name an account"),
        ({"store_url": "mongodb://sales@one/"}, "CONCORD_STORE_URL: must name an account"),
        ({"token_issuers": None}, "CONCORD_TOKEN_ISSUERS: must have"),
        ({"token_secret": SECRET}, "CONCORD_TOKEN_SECRET: must not be set in production"),
    ],
)
def test_production_without_an_account_is_refused(environment, given, message):
    environment(**PRODUCTION | given)
    with pytest.raises(UnsafeSettings, match=message) as refused:
        Settings.from_environment()
    assert len(str(refused.value).splitlines()) == 1
    assert "hunter2" not in str(refused.value)


def test_everything_that_production_is_missing_is_reported_together(environment):
    environment(mode="production")
    with pytest.raises(UnsafeSettings) as refused:
        Settings.from_environment()
    named = {line.partition(":")[0] for line in str(refused.value).splitlines()}
    missing = ("kafka_user", "kafka_password", "kafka_ca", "store_url", "token_issuers")
    assert {f"CONCORD_{name.upper()}" for name in missing} < named


def test_the_program_that_creates_topics_needs_an_account_and_no_store(environment):
    kafka = {name: PRODUCTION[name] for name in PRODUCTION if name.startswith("kafka")}
    environment(mode="production", replication="3", **kafka)
    assert KafkaSettings.from_environment().kafka_user == "concord-sales"
    environment(mode="production", replication="3", kafka_ca=None)
    with pytest.raises(UnsafeSettings, match="CONCORD_KAFKA_CA"):
        KafkaSettings.from_environment()


def test_secrets_are_not_shown(environment):
    environment(
        store_url="mongodb://user:hunter2@127.0.0.1/",
        kafka_user="concord-sales",
        kafka_password="hunter2",
        kafka_ca="/ca.pem",
    )
    settings = Settings.from_environment()
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert SECRET not in shown
    assert "hunter2" not in shown

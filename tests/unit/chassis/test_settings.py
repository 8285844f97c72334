"""Settings: what is unsafe is refused in words, and secrets are never shown."""

import os

import pytest

from chassis.settings import Settings, UnsafeSettings

SECRET = "b7Hq2vXz0LkTn5RwYpCs8DfGjMa3EuIo6QxW1ZyV4tNc"


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


def test_safe_ones_are_read(environment):
    environment(kafka_bootstrap="127.0.0.1:1,127.0.0.1:2", replication="3", service_port="8080")
    settings = Settings.from_environment()
    assert settings.service_host == "127.0.0.1"
    assert (settings.replication, settings.min_insync) == (3, 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"token_secret": None}, "CONCORD_TOKEN_SECRET"),
        ({"token_secret": "short"}, "CONCORD_TOKEN_SECRET: must have at least 32 bytes"),
        ({"token_secret": "changeme" * 8}, "CONCORD_TOKEN_SECRET: can be guessed"),
        ({"token_secret": "a" * 64}, "CONCORD_TOKEN_SECRET: can be guessed"),
        ({"service_host": "0.0.0.0"}, "CONCORD_SERVICE_HOST: must be 127.0.0.1"),  # noqa: S104
        ({"mode": "production"}, "CONCORD_REPLICATION: must be at least 3"),
        ({"mode": "production", "replication": "3"}, "CONCORD_TOKEN_KEYS: production checks"),
        ({"token_keys": "/keys.pem"}, "CONCORD_TOKEN_SECRET: must not stand beside"),
        ({"service_port": "99999"}, "CONCORD_SERVICE_PORT"),
        ({"kafka_bootstrap": "http://x"}, "CONCORD_KAFKA_BOOTSTRAP: must be host:port"),
        ({"store_url": "mysql://x"}, "CONCORD_STORE_URL: must begin with"),
        ({"store_url": "mongodb://h/?w=1"}, "CONCORD_STORE_URL: must not weaken"),
        ({"topic_prefix": "a b"}, "CONCORD_TOPIC_PREFIX"),
    ],
)
def test_unsafe_ones_are_refused_in_words(environment, given, said):
    environment(**given)
    with pytest.raises(UnsafeSettings) as refused:
        Settings.from_environment()
    assert said in str(refused.value)
    for secret in ("changeme", SECRET):
        assert secret not in str(refused.value)


def test_secrets_are_not_shown(environment):
    environment(store_url="mongodb://user:hunter2@127.0.0.1/")
    settings = Settings.from_environment()
    shown = f"{settings!r} {settings} {settings.model_dump_json()}"
    assert SECRET not in shown
    assert "hunter2" not in shown

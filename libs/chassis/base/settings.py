"""Settings: what a process is told by its environment (``CONCORD_…``), refused where unsafe.

Every value has the name of its field in upper case behind ``CONCORD_``. Secrets are kept as
SecretStr, so that neither a log nor an error shows them.
"""

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

LOOPBACK = "127.0.0.1"
LOCAL_ISSUER = "concord-local"
_FEWEST_SECRET_BYTES = 32
_ACCOUNT = {
    "kafka_user": "name the account by which Kafka knows this process, as concord-sales",
    "kafka_password": "give the password of the account that CONCORD_KAFKA_USER names",
    "kafka_ca": "name a file of certificates (PEM) by which the brokers are known",
}
_ACCOUNT_IN_URL = re.compile(r"mongodb(\+srv)?://[^:@/]+:[^@/]+@")
_KNOWN_SECRETS = ("changeme", "secret", "password", "example", "concord", "0123456789", "test")


class UnsafeSettings(Exception):
    """The environment asks for something that would lose data or let strangers in."""


class KafkaSettings(BaseSettings):
    """What whoever speaks to Kafka is told: a service, or the program that makes the topics.

    `mode` is ``local`` for processes of one machine, ``container`` where the network around the
    process keeps strangers out, ``production`` where losing an event or a secret would matter.
    """

    model_config = SettingsConfigDict(
        env_prefix="CONCORD_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mode: Literal["local", "container", "production"] = "local"

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_user: Annotated[str, Field(min_length=1)] | None = None
    """The account by which Kafka knows this process (SCRAM-SHA-512, over TLS); with its password
    and the authority below, or none of the three."""
    kafka_password: SecretStr | None = None
    kafka_ca: Path | None = None
    """Certificates (PEM) of the authority that signed the brokers'."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,100}$")] = "concord"
    replication: Annotated[int, Field(ge=1, le=7)] = 1
    """Copies of each record in Kafka. All but one must have it before a write counts, so that
    production needs at least three."""

    @field_validator("kafka_bootstrap")
    @classmethod
    def _addresses(cls, text: str) -> str:
        for address in text.split(","):
            if not re.fullmatch(r"[A-Za-z0-9._-]+:[0-9]{1,5}", address.strip()):
                raise ValueError("must be host:port, several parted by commas")
        return text

    @model_validator(mode="after")
    def _safe(self) -> Self:
        wrong = list(self._unsafe())
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _unsafe(self) -> Iterator[str]:
        """What may not be together, or not in this mode, as ``field: sentence``."""
        if self.mode == "production" and self.replication < 3:
            yield "replication: must be at least 3 in production"
        account = {
            "kafka_user": self.kafka_user,
            "kafka_password": self.kafka_password,
            "kafka_ca": self.kafka_ca,
        }
        missing = [name for name, value in account.items() if not value]
        if missing and self.mode == "production":
            yield from (f"{name}: {_ACCOUNT[name]}" for name in missing)
        elif missing and len(missing) < len(account):
            yield f"{missing[0]}: must be set as well: {_ACCOUNT[missing[0]]}"

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment; raises UnsafeSettings with a line for each thing to change."""
        try:
            return cls()
        except ValidationError as error:
            raise UnsafeSettings(
                "\n".join(
                    _line(str(each["loc"][0]) if each["loc"] else "", text)
                    for each in error.errors()
                    for text in each["msg"].splitlines()
                )
            ) from None


class Settings(KafkaSettings):
    """What one service is told."""

    service_host: str = LOOPBACK
    """Address to listen on; any other than 127.0.0.1 needs a `mode` other than local."""
    service_port: Annotated[int, Field(ge=0, le=65535)] = 0

    store_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017/?directConnection=true")
    """Where the document store is; it may hold a password."""
    store_database: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,60}$")] | None = None
    """Name of the service's own database; the service's name unless set."""

    token_secret: SecretStr | None = None
    """Shared secret of HS256 tokens, at least 32 bytes; for one machine."""
    token_keys: Path | None = None
    """Public keys of RS256 tokens: a PEM file or a JWKS document; for production."""
    token_issuer: str = LOCAL_ISSUER

    otlp_endpoint: str | None = None
    """Base address of an OpenTelemetry collector (OTLP over HTTP); nothing is sent without it."""
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of traces that are kept, decided where a trace begins."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    body_limit: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = 1024 * 1024
    """Bytes a request's body may have."""
    wait_limit: Annotated[float, Field(ge=0, le=30)] = 30.0
    """Seconds a request may ask to wait."""
    stop_within: Annotated[float, Field(gt=0, le=120)] = 15.0
    """Seconds that an orderly stop may take: a third of it for answers under way, the rest for the
    service's parts."""

    @field_validator("token_secret")
    @classmethod
    def _hard_to_guess(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        text = secret.get_secret_value()
        if len(text.encode()) < _FEWEST_SECRET_BYTES:
            raise ValueError(f"must have at least {_FEWEST_SECRET_BYTES} bytes")
        rest = text.lower()
        for known in _KNOWN_SECRETS:
            rest = rest.replace(known, "")
        if len(set(text)) < 10 or len(rest) < _FEWEST_SECRET_BYTES // 2:
            raise ValueError("can be guessed; make one with `openssl rand -base64 48`")
        return secret

    @field_validator("store_url")
    @classmethod
    def _a_store(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if not text.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        asked = re.search(r"[?&]w=([^&]*)", text)
        if asked and asked[1] != "majority":
            raise ValueError("must not weaken the write concern: leave w out, or say w=majority")
        return url

    def _unsafe(self) -> Iterator[str]:
        yield from super()._unsafe()
        if self.mode == "local" and self.service_host != LOOPBACK:
            yield "service_host: must be 127.0.0.1 while CONCORD_MODE is local"
        if self.token_secret is not None and self.token_keys is not None:
            yield "token_secret: must not stand beside token_keys"
        if self.mode == "production":
            if self.token_keys is None:
                yield "token_keys: production checks tokens by public keys"
            if self.token_issuer == LOCAL_ISSUER:
                yield "token_issuer: must be the `iss` of those who give tokens out in production"
            if not _ACCOUNT_IN_URL.match(self.store_url.get_secret_value()):
                yield "store_url: must name an account in production: mongodb://NAME:PASSWORD@…"

    @cached_property
    def min_insync(self) -> int:
        """Copies that must have a record before its write counts."""
        return max(1, self.replication - 1)

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment; raises UnsafeSettings with a line for each thing to change."""
        settings = super().from_environment()
        if settings.token_secret is None and settings.token_keys is None:
            raise UnsafeSettings(
                "CONCORD_TOKEN_SECRET (at least 32 bytes) or CONCORD_TOKEN_KEYS (a file of public"
                " keys) is needed: nobody could be recognised"
            )
        return settings


def _line(field: str, message: str) -> str:
    text = message.removeprefix("Value error, ")
    name, colon, rest = text.partition(": ")
    if not field and colon and name.isidentifier():
        field, text = name, rest
    return f"CONCORD_{field.upper()}: {text}"

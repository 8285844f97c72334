"""Settings of a process, read from environment variables (``CONCORD_…``); unsafe ones are refused.

A variable is named ``CONCORD_`` and the field in upper case. Secrets are SecretStr, so that neither
a log nor an error shows them.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.base.token_issuers import TokenIssuer, insecure
from contracts.event import LOCAL_SCHEMAS
from contracts.text import without_prefix

LOOPBACK = "127.0.0.1"
LOCAL_ISSUER = "concord-local"
"""The `iss` of tokens that are signed with the shared secret."""
_FEWEST_SECRET_BYTES = 32
_ACCOUNT = {
    "kafka_user": "name the Kafka account of this process, such as concord-sales",
    "kafka_password": "give the password of the account that CONCORD_KAFKA_USER names",
    "kafka_ca": "name a file (PEM) with the certificates of the authority of the brokers",
}
_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?")
_ACCOUNT_IN_URL = re.compile(r"mongodb(\+srv)?://[^:@/]+:[^@/]+@")
_KNOWN_SECRETS = ("changeme", "secret", "password", "example", "concord", "0123456789", "test")


class UnsafeSettings(Exception):
    """Settings that would lose data or admit unauthorised clients; the message has a line each."""


class KafkaSettings(BaseSettings):
    """Settings of every program that connects to Kafka: a service, or the program for topics.

    `mode` is ``local`` if all processes are on one machine, ``container`` if the network around
    the process is closed to others, ``production`` if events and secrets must not be lost.
    """

    model_config = SettingsConfigDict(
        env_prefix="CONCORD_", extra="ignore", frozen=True, hide_input_in_errors=True
    )

    mode: Literal["local", "container", "production"] = "local"

    kafka_bootstrap: str = "127.0.0.1:9092"
    kafka_user: Annotated[str, Field(min_length=1)] | None = None
    """The Kafka account of this process (SCRAM-SHA-512 over TLS). Set it with `kafka_password` and
    `kafka_ca`, or set none of the three."""
    kafka_password: SecretStr | None = None
    kafka_ca: Path | None = None
    """File (PEM) with the certificates of the authority that signed the brokers' certificates."""
    topic_prefix: Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_-]{0,100}$")] = "concord"
    replication: Annotated[int, Field(ge=1, le=7)] = 1
    """Copies of each record in Kafka. A write is acknowledged when all but one have it, so
    production needs at least 3."""

    @field_validator("kafka_bootstrap")
    @classmethod
    def _addresses(cls, text: str) -> str:
        for address in text.split(","):
            if not re.fullmatch(r"[A-Za-z0-9._-]+:[0-9]{1,5}", address.strip()):
                raise ValueError("must be host:port, or several separated by commas")
        return text

    @model_validator(mode="after")
    def _safe(self) -> Self:
        wrong = list(self._unsafe())
        if wrong:
            raise ValueError("\n".join(wrong))
        return self

    def _unsafe(self) -> Iterator[str]:
        """Yield ``field: sentence`` for each value that the mode or another value excludes."""
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
                    _line(each["loc"], text)
                    for each in error.errors()
                    for text in each["msg"].splitlines()
                )
            ) from None


class Settings(KafkaSettings):
    """Settings of one service."""

    service_host: str = LOOPBACK
    """Address to listen on; it must be 127.0.0.1 in `mode` local."""
    service_port: Annotated[int, Field(ge=0, le=65535)] = 0

    store_url: SecretStr = SecretStr("mongodb://127.0.0.1:27017/?directConnection=true")
    """URL of the document store; it may contain a password."""
    store_database: Annotated[str, Field(pattern=r"^[a-zA-Z0-9_-]{1,60}$")] | None = None
    """Name of the service's own database; by default the service's name."""

    token_secret: SecretStr | None = None
    """Shared secret of HS256 tokens, at least 32 bytes; not for production."""
    token_issuers: Annotated[tuple[TokenIssuer, ...], NoDecode] = ()
    """Issuers of tokens as a JSON list; at least one in production. Elsewhere, tokens that are
    signed with the shared secret are accepted beside theirs if both are set."""

    cors_origins: Annotated[tuple[str, ...], NoDecode] = ()
    """Origins such as https://planner.example, separated by commas, whose pages may read answers;
    none by default."""

    schemas_url: Annotated[str, Field(pattern=r"^https?://[^\s/?#]+(/[^\s?#]+)?[^\s/?#]$")] = (
        LOCAL_SCHEMAS
    )
    """Address under which partners reach `/schemas` of a service, without a `/` at the end. Each
    event has its schema's address for ever (`dataschema`)."""

    otlp_endpoint: str | None = None
    """Base URL of an OpenTelemetry collector (OTLP over HTTP); without it nothing is sent."""
    trace_ratio: Annotated[float, Field(ge=0, le=1)] = 1.0
    """Share of traces that are sampled, decided at the root span."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    body_limit: Annotated[int, Field(ge=1024, le=16 * 1024 * 1024)] = 1024 * 1024
    """Maximum size of a request's body in bytes."""
    wait_limit: Annotated[float, Field(ge=0, le=30)] = 30.0
    """Maximum time in seconds that a request may ask to wait."""
    stop_within: Annotated[float, Field(gt=0, le=120)] = 15.0
    """Seconds that an orderly stop may take: a third of it for requests in progress, the rest for
    the parts of the service."""

    @field_validator("token_secret")
    @classmethod
    def _valid_secret(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is None:
            return None
        text = secret.get_secret_value()
        if len(text.encode()) < _FEWEST_SECRET_BYTES:
            raise ValueError(f"must have at least {_FEWEST_SECRET_BYTES} bytes")
        rest = text.lower()
        for known in _KNOWN_SECRETS:
            rest = rest.replace(known, "")
        if len(set(text)) < 10 or len(rest) < _FEWEST_SECRET_BYTES // 2:
            raise ValueError("can be guessed; create one with `openssl rand -base64 48`")
        return secret

    @field_validator("token_issuers", mode="before")
    @classmethod
    def _read_issuers(cls, value: object) -> object:
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("must be a JSON list of issuers") from None

    @field_validator("cors_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        return [each.strip() for each in value.split(",")] if value else []

    @field_validator("cors_origins")
    @classmethod
    def _valid_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            if not _ORIGIN.fullmatch(origin):
                raise ValueError(
                    "must be origins such as https://planner.example, in lower case and without a"
                    " path; * is not possible"
                )
            if wrong := insecure(origin):
                raise ValueError(f"{origin} {wrong}")
        return origins

    @field_validator("store_url")
    @classmethod
    def _valid_store_url(cls, url: SecretStr) -> SecretStr:
        text = url.get_secret_value()
        if not text.startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        asked = re.search(r"[?&]w=([^&]*)", text)
        if asked and asked[1] != "majority":
            raise ValueError("must not weaken the write concern: omit w, or use w=majority")
        return url

    def _unsafe(self) -> Iterator[str]:
        yield from super()._unsafe()
        if self.mode == "local" and self.service_host != LOOPBACK:
            yield "service_host: must be 127.0.0.1 while CONCORD_MODE is local"
        addresses = Counter(each.issuer for each in self.token_issuers)
        for address in (address for address, count in addresses.items() if count > 1):
            yield f"token_issuers: {address} appears more than once"
        if self.mode == "production":
            if self.token_secret is not None:
                yield "token_secret: must not be set in production"
            if not self.token_issuers:
                yield "token_issuers: must have the identity provider in production"
            if not self.schemas_url.startswith("https://"):
                yield "schemas_url: must begin with https:// in production"
            if not _ACCOUNT_IN_URL.match(self.store_url.get_secret_value()):
                yield "store_url: must name an account in production: mongodb://NAME:PASSWORD@…"

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment; raises UnsafeSettings with a line for each thing to change."""
        settings = super().from_environment()
        if settings.token_secret is None and not settings.token_issuers:
            raise UnsafeSettings(
                "CONCORD_TOKEN_ISSUERS (identity providers) or CONCORD_TOKEN_SECRET (at least 32"
                " bytes) is required to verify tokens"
            )
        return settings


def _line(place: tuple[int | str, ...], message: str) -> str:
    text = without_prefix(message)
    name, colon, rest = text.partition(": ")
    if not place and colon and name.isidentifier():
        place, text = (name,), rest
    field, *within = map(str, place or ("",))
    return ": ".join([f"CONCORD_{field.upper()}", *([".".join(within)] if within else []), text])

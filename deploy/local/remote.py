"""A platform that runs elsewhere, in containers or on a cluster: its addresses and its secret."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from local.platform import SERVICES, Layout

SECRET = "CONCORD_TOKEN_SECRET"  # noqa: S105 - its name
_IN_THE_OVERLAY = "secret"


class NoKeyError(RuntimeError):
    """A file does not hold the secret that signs tokens; the message says what it must hold."""


def elsewhere(key: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a program beside the services needs: their addresses, and the secret.

    `key` is the file that the platform itself has the secret from: the `.env` of docker compose, or
    the `secret.env` of the overlay for a cluster of one machine. A service's address is what
    CONCORD_SALES_URL and so on name, or else the port of this machine that CONCORD_SALES_PORT names
    in the environment or the file, or else the port that it is published on unless told otherwise.
    Raises NoKeyError where the file cannot be read or holds no secret.
    """
    try:
        found = {name: value for name, value in dotenv_values(key).items() if value}
    except (OSError, ValueError) as trouble:
        raise NoKeyError(f"{key} cannot be read: {trouble}") from trouble
    secret = found.get(SECRET) or found.get(_IN_THE_OVERLAY)
    if not secret:
        raise NoKeyError(f"{key} holds no line {SECRET}=... (or {_IN_THE_OVERLAY}=...)")
    ports = {**found, **environment}
    urls = {}
    for service in SERVICES:
        variable = f"CONCORD_{service.upper()}_URL"
        urls[variable] = environment.get(variable) or Layout.published(service, ports)
    return {SECRET: secret, **urls}

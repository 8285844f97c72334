"""Find the addresses and the token secret of a platform in containers or on a cluster."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from local.platform import SERVICES, Layout

SECRET = "CONCORD_TOKEN_SECRET"  # noqa: S105 - the variable's name
_OVERLAY_SECRET = "secret"  # noqa: S105 - the line's name in a Kubernetes overlay's secret.env


class NoKeyError(RuntimeError):
    """A file does not contain the token secret; the message names the missing line."""


def remote_environment(key: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment variables for a client: the services' addresses and the token secret.

    `key` is the file from which the platform itself reads the secret: `.env` of docker compose, or
    `secret.env` of the overlay for a single-machine cluster. A service's address is the value of
    CONCORD_SALES_URL and so on; else the port of this machine in CONCORD_SALES_PORT, in the
    environment or the file; else the default port. Raises NoKeyError where the file cannot be read
    or contains no secret.
    """
    try:
        found = {name: value for name, value in dotenv_values(key).items() if value}
    except (OSError, ValueError) as error:
        raise NoKeyError(f"{key} cannot be read: {error}") from error
    secret = found.get(SECRET) or found.get(_OVERLAY_SECRET)
    if not secret:
        raise NoKeyError(f"{key} has no line {SECRET}=... (or {_OVERLAY_SECRET}=...)")
    ports = {**found, **environment}
    urls = {}
    for service in SERVICES:
        variable = f"CONCORD_{service.upper()}_URL"
        urls[variable] = environment.get(variable) or Layout.published(service, ports)
    return {SECRET: secret, **urls}

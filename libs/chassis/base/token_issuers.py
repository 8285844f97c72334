"""The issuers of tokens that a service accepts: identity providers, and what their claims mean."""

from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints
from pydantic import field_validator as checked

from contracts.roles import Role

ACTOR = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""Pattern of the id of a person or program, which events have as their actor for ever."""
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


def _several(value: object) -> object:
    return [value] if isinstance(value, str) else value


Names = Annotated[
    tuple[Annotated[str, StringConstraints(min_length=1)], ...],
    Field(min_length=1),
    BeforeValidator(_several),
]
"""Texts; a single one may be given without a list."""


class TokenIssuer(BaseModel):
    """An issuer of tokens, as the operator describes it.

    A claim is named by its name, or by a list of names where it is within other claims:
    ``["realm_access", "roles"]``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    issuer: str
    """Address of the issuer, exactly as in the claim `iss`."""
    audience: Names = ("concord",)
    """Values of the claim `aud`, one of which a token must have."""
    clients: tuple[str, ...] = ()
    """Ids of the clients to which tokens may be issued (`azp`); empty for all of the issuer."""
    keys: Path | None = None
    """File with the public keys (PEM or JWKS); without it, the issuer's address leads to them."""
    account_claim: Names = ("sub",)
    """Claim with the name of the account."""
    account_is: Literal["sign-in", "id"] = "sign-in"
    """`sign-in` if the records of people say whose account it is; `id` if its name is the id."""
    ids: dict[str, Annotated[str, StringConstraints(pattern=f"^{ACTOR}$")]] = {}
    """Ids by name of account, for programs and for those who publish the first records."""
    roles_claim: Names = ("roles",)
    """Claim with the names of roles or groups: a list, or a single text."""
    roles: dict[str, Annotated[tuple[Role, ...], BeforeValidator(_several)]] | None = None
    """Roles by name of role or group; None if the claim has the names of roles of Concord."""

    @checked("issuer")
    @classmethod
    def _address(cls, address: str) -> str:
        if wrong := insecure(address):
            raise ValueError(wrong)
        return address

    def roles_of(self, names: tuple[str, ...]) -> frozenset[str]:
        """Return the roles of Concord that these names of roles or groups give."""
        if self.roles is None:
            return frozenset(names)
        return frozenset(role for name in names for role in self.roles.get(name, ()))

    def accepts_client(self, claims: dict[str, Any]) -> bool:
        """Return whether the token was issued to one of `clients`; true where none is named.

        The claim is `azp`, or `client_id` (RFC 9068), `cid` (Okta) or `appid` (Entra ID, version 1)
        where there is no `azp`.
        """
        named = ("azp", "client_id", "cid", "appid")
        client = next((claims[name] for name in named if name in claims), None)
        return not self.clients or client in self.clients


def insecure(address: object) -> str | None:
    """Return what is wrong with the address of an issuer or its keys, or None."""
    try:
        parts = urlsplit(address if isinstance(address, str) else "")
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.query or parts.fragment or "@" in parts.netloc or " " in str(address):
        return "must be an address such as https://login.example/realms/concord"
    if parts.scheme != "https" and (parts.scheme != "http" or host not in LOOPBACK_HOSTS):
        return "must begin with https://, except on this machine"
    return None


def inner(claims: object, path: tuple[str, ...]) -> object:
    """Return the claim at a path of names; None where it is missing."""
    for name in path:
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims

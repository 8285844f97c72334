"""Public keys for checking tokens, read again when the issuer rotates them.

They are a JWKS document, to which the issuer's address leads (OpenID Connect Discovery 1.0), or a
file with such a document or with one key as PEM. The set of keys is replaced as a whole; if it
cannot be read, the present keys are kept. Everything is read in a thread.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import httpx
import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from chassis.base.settings import UnsafeSettings
from chassis.base.token_issuers import TokenIssuer, insecure

READ_AT_MOST_EVERY = 10.0
"""Minimum seconds between two reads, however many tokens name unknown keys."""

FILE_AT_LEAST_EVERY = 60.0
"""Seconds after which a file is read again even if all keys are known: one may be withdrawn."""

ISSUER_AT_LEAST_EVERY = 300.0
"""The same for the keys that an issuer publishes."""

_WAIT = 2.0
"""Seconds that a request waits for a read at most."""
_TIMEOUT = 3.0
"""Seconds to wait for an issuer to connect, and for each part of its answer."""
_LONGEST = 6.0
"""Seconds that an answer of an issuer may take."""
_LARGEST = 1024 * 1024
"""Bytes that an answer of an issuer may have."""
_SMALLEST_RSA_KEY = 2048
"""Bits that an RSA key must have, as RFC 7518 requires."""

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, RecursionError)
"""Errors of reading JSON or PEM that is not as it should be."""

_clock = time.monotonic
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key and the algorithms of the signatures that it may verify."""

    key: RSAPublicKey | EllipticCurvePublicKey
    algorithms: tuple[str, ...]


class PublicKeys:
    """The keys of an issuer by key id; the one key of a PEM file has the id None.

    Raises UnsafeSettings where the issuer has a file and the file has no public keys. Other keys
    are read later, so a service starts while the issuer does not answer.
    """

    def __init__(self, issuer: TokenIssuer) -> None:
        self._source = str(issuer.keys or issuer.issuer)
        self._reading: asyncio.Task[bool] | None = None
        self._read_at = self._loaded_at = float("-inf")
        self._text: str | None = None
        self._keys: Mapping[str | None, PublicKey] = {}
        self.revision = 0
        """Incremented whenever different keys were read."""
        self.problem: str | None = f"the keys of {self._source} were not read yet"
        """The reason why the keys are missing or possibly outdated; None when they were read."""
        self._fetch: Callable[[], str] = partial(published, issuer.issuer)
        self._every = ISSUER_AT_LEAST_EVERY
        if issuer.keys is None:
            return
        self._fetch, self._every = issuer.keys.read_text, FILE_AT_LEAST_EVERY
        try:
            self._replace(self._fetch())
        except (OSError, ValueError) as error:
            message = f"CONCORD_TOKEN_ISSUERS: {issuer.keys}: {error}"
            raise UnsafeSettings(message) from error

    @property
    def are_known(self) -> bool:
        """True once keys were read; they are kept when they cannot be read again."""
        return bool(self._keys)

    def get(self, name: object) -> PublicKey | None:
        """Return the key with this id, or the only key of a PEM file, or None.

        A token may omit the id where there is one key only.
        """
        known = self._keys.get(name) if isinstance(name, str) else None
        if name is None and len(self._keys) == 1:
            (known,) = self._keys.values()
        return known or self._keys.get(None)

    def refresh(self) -> None:
        """Start reading the keys, without waiting, where they are missing or old."""
        every = self._every if self.problem is None else READ_AT_MOST_EVERY
        if _clock() - max(self._read_at, self._loaded_at) >= every:
            self._begin()

    async def read_again(self) -> bool:
        """Read the keys unless they were read just now; return whether different ones were read.

        Simultaneous callers wait for the same read, for two seconds at most.
        """
        reading = self._begin()
        if reading is None:
            return False
        done, _ = await asyncio.wait({reading}, timeout=_WAIT)
        return bool(done) and not reading.cancelled() and reading.result()

    def _begin(self) -> asyncio.Task[bool] | None:
        if self._reading is not None and not self._reading.done():
            return self._reading
        if _clock() - self._read_at < READ_AT_MOST_EVERY:
            return None
        self._read_at = _clock()
        self._reading = asyncio.create_task(self._read(), name="signing keys")
        return self._reading

    async def _read(self) -> bool:
        try:
            replaced = self._replace(await asyncio.to_thread(self._fetch))
        except (OSError, ValueError, httpx.HTTPError, httpx.InvalidURL) as error:
            # Without the message of the error, which may name addresses inside the network.
            problem = f"the keys of {self._source} cannot be read: {type(error).__name__}"
            if problem != self.problem:
                _log.warning("signing keys were not read: %s: %s", self._source, error)
            self.problem = problem
            return False
        if replaced:
            _log.info("signing keys of %s replaced: %d read", self._source, len(self._keys))
        return replaced

    def _replace(self, text: str) -> bool:
        """Replace the keys by those in a text; return whether it differs from the last one."""
        if is_new := text != self._text:
            self._keys = parse(text)
            self._text = text
            self.revision += 1
        self._loaded_at = _clock()
        self.problem = None
        return is_new


def published(issuer: str) -> str:
    """Return the JWKS document that an issuer publishes; blocks for some seconds at most.

    Raises ValueError where an answer is not as the standard requires it, and httpx.HTTPError where
    there is none. No redirect is followed.
    """
    with httpx.Client(timeout=_TIMEOUT) as client:
        address = f"{issuer.rstrip('/')}/.well-known/openid-configuration"
        configuration = json.loads(_body(client, address))
        named = configuration.get("issuer") if isinstance(configuration, dict) else None
        if named != issuer:
            raise ValueError(f"{address} is of the issuer {named!r}")
        keys = configuration.get("jwks_uri")
        if not isinstance(keys, str) or (wrong := insecure(keys)):
            raise ValueError(f"{address}: jwks_uri {keys!r} {wrong if keys else 'is missing'}")
        return _body(client, keys)


def _body(client: httpx.Client, address: str) -> str:
    body, ends = b"", _clock() + _LONGEST
    with client.stream("GET", address, headers={"Accept": "application/json"}) as response:
        if response.status_code != 200:
            raise ValueError(f"{address} answers {response.status_code}")
        for part in response.iter_bytes():
            body += part
            if len(body) > _LARGEST or _clock() > ends:
                raise ValueError(f"{address} answers too much or too slowly")
    return body.decode()


def parse(text: str) -> Mapping[str | None, PublicKey]:
    """Return the keys of a JWKS document by key id, or the key of a PEM file under None.

    They are RSA keys for RS256 and PS256 and P-256 keys for ES256; others are left out. Raises
    ValueError where there is none, or one is private.
    """
    if "PRIVATE KEY" in text:
        raise ValueError("contains a private key; services need public keys only")
    try:
        if not text.lstrip().startswith("{"):
            return {None: _usable(load_pem_public_key(text.encode()))}
        keys = {each.get("kid"): _from_jwk(each) for each in json.loads(text)["keys"]}
    except (*_UNREADABLE, jwt.PyJWTError, UnsupportedAlgorithm) as error:
        raise ValueError(f"contains no public keys: {error}") from error
    if not (found := {name: key for name, key in keys.items() if key is not None}):
        raise ValueError("contains no public keys for RS256, PS256 or ES256")
    return found


def _from_jwk(data: dict[str, Any]) -> PublicKey | None:
    """Return a key of a JWKS document; None where it verifies no signatures of tokens."""
    if data.get("use", "sig") != "sig":
        return None
    try:
        usable = _usable(jwt.PyJWK(data).key)
    except jwt.PyJWTError:
        return None
    algorithms = tuple(each for each in usable.algorithms if data.get("alg", each) == each)
    return replace(usable, algorithms=algorithms) if algorithms else None


def _usable(key: object) -> PublicKey:
    """Return the key with its algorithms; raises ValueError if private, PyJWTError if unusable."""
    if isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise ValueError("contains a private key; services need public keys only")  # noqa: TRY004
    if isinstance(key, RSAPublicKey) and key.key_size >= _SMALLEST_RSA_KEY:
        return PublicKey(key, ("RS256", "PS256"))
    if isinstance(key, EllipticCurvePublicKey) and isinstance(key.curve, SECP256R1):
        return PublicKey(key, ("ES256",))
    raise jwt.InvalidKeyError("a key is of another kind, or too short")

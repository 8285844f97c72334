"""Public keys for checking tokens, reloaded from their file when the issuer rotates them.

The file is a JWKS document or a PEM file. The set of keys is replaced as a whole; if the file
cannot be read, the present keys are kept.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt.algorithms import RSAAlgorithm

from chassis.base.settings import UnsafeSettings

PublicKey = jwt.PyJWK | RSAPublicKey

READ_AT_MOST_EVERY = 10.0
"""Minimum seconds between two reads, however many tokens name unknown keys."""

READ_AT_LEAST_EVERY = 60.0
"""Seconds after which the file is read again even if all keys are known: one may be withdrawn."""

_WAIT = 2.0
"""Seconds that a request waits for a read at most."""

_clock = time.monotonic
_log = logging.getLogger(__name__)


class PublicKeys:
    """The keys of a file by key id; the one key of a PEM file has the id None.

    Raises UnsafeSettings where the file has no public keys at the start.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._reading: asyncio.Task[bool] | None = None
        self._read_at = float("-inf")
        self.revision = 0
        """Incremented whenever different keys were read."""
        try:
            self._text = file.read_text()
            self._keys = parse(self._text)
        except (OSError, ValueError) as error:
            raise UnsafeSettings(f"CONCORD_TOKEN_KEYS: {file}: {error}") from error
        self._loaded_at = _clock()

    def get(self, name: object) -> PublicKey | None:
        """Return the key with this id, or the only key of a PEM file, or None."""
        known = self._keys.get(name) if isinstance(name, str) else None
        return known or self._keys.get(None)

    def refresh(self) -> None:
        """Start reading the file, without waiting, after `READ_AT_LEAST_EVERY`."""
        if _clock() - max(self._read_at, self._loaded_at) >= READ_AT_LEAST_EVERY:
            self._begin()

    async def read_again(self) -> bool:
        """Read the file unless it was read just now; return whether different keys were read.

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
            text = await asyncio.to_thread(self._file.read_text)
            if text == self._text:
                return False
            keys = parse(text)
        except (OSError, ValueError) as error:
            _log.warning("signing keys were not reloaded: %s: %s", self._file, error)
            return False
        self._text, self._keys = text, keys
        self.revision += 1
        _log.info("signing keys replaced: %d read", len(keys))
        return True


def parse(text: str) -> Mapping[str | None, PublicKey]:
    """Return the RSA keys of a JWKS document by key id, or the key of a PEM file under None.

    Raises ValueError where there is none, or one is private.
    """
    if "PRIVATE KEY" in text:
        raise ValueError("contains a private key; services need public keys only")
    try:
        if not text.lstrip().startswith("{"):
            return {None: _only_public(RSAAlgorithm(RSAAlgorithm.SHA256).prepare_key(text))}
        found = jwt.PyJWKSet.from_dict(json.loads(text)).keys
        keys = {key.key_id: key for key in found if key.key_type == "RSA"}
        for key in keys.values():
            _only_public(key.key)
    except (jwt.PyJWTError, TypeError, AttributeError, KeyError, RecursionError) as error:
        raise ValueError(f"contains no public RSA keys: {error}") from error
    if not keys:
        raise ValueError("contains no public RSA keys")
    return dict(keys)


def _only_public(key: object) -> RSAPublicKey:
    if not isinstance(key, RSAPublicKey):
        raise ValueError("contains a private key; services need public keys only")  # noqa: TRY004
    return key

"""Deterministic ids, derived from what a thing follows from: the same input gives the same id."""

from hashlib import blake2b
from unicodedata import normalize

_LONGEST = 64
"""The maximum length of an identifier (`contracts.values.Identifier`)."""

_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def derived(text: str, length: int = 13) -> str:
    """Return `length` (at most 25) characters of Crockford's base 32 from a hash of the text."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=16).digest())
    return "".join(_CROCKFORD[(number >> (5 * place)) & 31] for place in reversed(range(length)))


def comparable(name: str) -> str:
    """Return a name without differences of case, width and spaces; no letter or sign is dropped."""
    folded = normalize("NFKC", normalize("NFKC", name).casefold())
    return " ".join(folded.split())


def derived_id(*parts: str, between: str = "-") -> str:
    """Return the joined parts; if they exceed 64 characters, the end is replaced by a hash."""
    name = between.join(parts)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 14]}-{derived(name)}"

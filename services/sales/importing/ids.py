"""Derive ids from names."""

import re
import unicodedata

from chassis.domain.ids import derived


def slug(name: str) -> str:
    """Return an id for a name: lower-case ASCII letters and digits, joined by dashes, at most 64.

    A name without such characters, or too long, gets a hash (in upper case) at its end.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    dashed = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return dashed if 0 < len(dashed) <= 64 else f"{dashed[:50]}-{derived(name, 10)}".lstrip("-")

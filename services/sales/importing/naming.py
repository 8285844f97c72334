"""Names as ids."""

import re
import unicodedata

from chassis.domain.decider import derived


def slug(name: str) -> str:
    """A name as an id: lower case, dashes for all that is neither letter nor digit, 64 at most."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    dashed = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return dashed if 0 < len(dashed) <= 64 else f"{dashed[:50]}-{derived(name, 10)}".lstrip("-")

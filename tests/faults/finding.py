"""What the checker says where something is not as it must be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence about one stream or event; `may_pass` where it can still come right by itself."""

    sentence: str
    may_pass: bool = False

"""Findings of the checker."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """A defect of one stream or event, as a sentence; `may_pass` if it can resolve by itself."""

    sentence: str
    may_pass: bool = False

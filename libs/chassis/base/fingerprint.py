"""Fingerprint of code: it differs where the same events may lead to another result."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

import contracts

_BESIDE_EVENTS = frozenset({"line_faults", "refusals", "release"})
"""Modules and packages of the contracts that no event needs, nor what is computed from events."""


def fingerprint(sources: Iterable[Path], schema: object) -> str:
    """Return a fingerprint of these source files, the contracts, and the text of a schema.

    Modules of the contracts that concern only commands, their callers or releases are left out.
    """
    digest = blake2b(digest_size=8)
    digest.update(str(schema).encode())
    for source in sorted({*sources, *contracts_of_events()}):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def contracts_of_events() -> list[Path]:
    """Return the source files of the contracts that events or their readers need."""
    folder = file_of(contracts).parent
    return [
        each
        for each in files_beside(contracts)
        if Path(each.relative_to(folder).parts[0]).stem not in _BESIDE_EVENTS
    ]


def file_of(module: ModuleType) -> Path:
    """Return the source file of a module; raises ValueError where it has none."""
    if module.__file__ is None:
        raise ValueError(f"the module {module.__name__} has no source file")
    return Path(module.__file__)


def files_beside(module: ModuleType) -> list[Path]:
    """Return the source files in and below the folder of a module, its own among them."""
    return list(file_of(module).parent.rglob("*.py"))

"""Fingerprint of code: it differs where the same events may lead to another result."""

from collections.abc import Iterable
from hashlib import blake2b
from pathlib import Path
from types import ModuleType

import contracts

_BESIDE_EVENTS = frozenset({"line_faults.py", "refusals.py", "release.py", "roles.py"})
"""Modules of the contracts that neither events nor what is computed from them need."""


def fingerprint(sources: Iterable[Path], schema: object) -> str:
    """Return a fingerprint of these source files, the contracts, and the text of a schema.

    Modules of the contracts that concern only commands, their callers or releases are left out.
    """
    digest = blake2b(digest_size=8)
    digest.update(str(schema).encode())
    of_events = {each for each in files_beside(contracts) if each.name not in _BESIDE_EVENTS}
    for source in sorted({*sources, *of_events}):
        digest.update(source.read_bytes())
    return digest.hexdigest()


def file_of(module: ModuleType) -> Path:
    """Return the source file of a module; raises ValueError where it has none."""
    if module.__file__ is None:
        raise ValueError(f"the module {module.__name__} has no source file")
    return Path(module.__file__)


def files_beside(module: ModuleType) -> list[Path]:
    """Return the source files in and below the folder of a module, its own among them."""
    return list(file_of(module).parent.rglob("*.py"))

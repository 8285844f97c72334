"""Names of what is made, after what it follows from: the same thing has the same name."""

from chassis.domain.decider import derived

_LONGEST = 64
"""As long as an identifier may be (`contracts.values.Identifier`)."""


def derived_id(*parts: str, between: str = "-") -> str:
    """The parts in one name; shortened by a hash where that would be too long."""
    name = between.join(parts)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 14]}-{derived(name)}"

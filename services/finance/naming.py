"""Names of what Finance makes, after what it follows from: the same thing has the same name."""

from chassis.decider import derived

_LONGEST = 64


def named(*parts: str) -> str:
    """The parts with dashes between them; shortened by a hash where that would be too long."""
    name = "-".join(parts)
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 14]}-{derived(name)}"

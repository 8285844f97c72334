"""Say what a department believes: one side of a disconnect."""

from collections.abc import Mapping
from datetime import date

from contracts.channels import Department
from contracts.gateway import Side
from gateway.formatting import listed
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

_LONGEST = 200
"""Characters that `contracts.values.ShortText` accepts."""


def side(
    department: Department, value: str, said: Ref | None = None, *, on: date | None = None
) -> Side:
    """Return what a department believes, with the author and the day of the event that states it.

    A day that is given replaces that of the event. A value that is too long is cut.
    """
    value = " ".join(value.split())
    if len(value) > _LONGEST:
        value = f"{value[: _LONGEST - 1].rstrip()}…"
    author = said.author if said is not None else None
    return Side(
        department=department,
        value=value,
        author=author,
        day=on or (said.day if said is not None else None),
    )


def of_agreement(view: View, signed: str, sold: str | None = None) -> Side:
    """Return what the contract says, as signed or taken over last, or else what the deal says.

    `sold` is the value of the deal, where it differs from that of the contract.
    """
    if view.legal.agreed is not None:
        return side("legal", signed, view.legal.agreed)
    if view.sales.won is not None:
        return side("sales", sold or signed, view.sales.won.said)
    return side("legal", "no contract published")


def of_titles(own: Mapping[str, str], other: Mapping[str, str], verb: str) -> str:
    """Return which deliverables one side has and the other has not, or else has not and it has.

    Such as "sold: Portal", and "not planned: Portal" on the other side.
    """
    only = [title for name, title in own.items() if name not in other]
    if only:
        return f"{verb}: {listed(only)}"
    return f"not {verb}: {listed(title for name, title in other.items() if name not in own)}"

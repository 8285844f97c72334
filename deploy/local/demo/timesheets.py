"""Keep the timesheets of the demo's people: one sheet per person and week over all engagements.

Scenarios add lines to a sheet. Those of all engagements are saved and submitted together before the
scenarios continue (`Calendar.later`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

Hours = Mapping[str, Any]
"""Time entry of a sheet."""
Lines = tuple[Hours, ...]
"""Time entries of a sheet on one engagement."""


def sheet_id(person: str, monday: date) -> str:
    """Return the id of a person's sheet of a week."""
    return f"{person}.{monday.isoformat()}"


@dataclass(slots=True)
class Timesheets:
    """Lines of all people, by sheet (``eve.2026-03-02``) and engagement."""

    sheets: dict[str, dict[str, Lines]] = field(default_factory=dict)
    changed: dict[str, dict[str, Lines]] = field(default_factory=dict)
    """Lines that are to be submitted."""

    def log(self, person: str, monday: date, engagement: str, lines: Lines) -> None:
        """Add lines to a person's sheet."""
        sheet = sheet_id(person, monday)
        for sheets in (self.sheets, self.changed):
            on = sheets.setdefault(sheet, {})
            on[engagement] = (*on.get(engagement, ()), *lines)

    def lines(self, person: str, monday: date, engagement: str) -> Lines:
        """Return the lines of an engagement in a person's sheet."""
        return self.sheets.get(sheet_id(person, monday), {}).get(engagement, ())

    def forget(self, person: str, monday: date, engagement: str) -> None:
        """Remove the lines of an engagement from a person's sheet."""
        self.sheets[sheet_id(person, monday)].pop(engagement, None)

    def to_submit(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield each sheet with its lines that are to be submitted, which then no longer are."""
        changed, self.changed = self.changed, {}
        for sheet, lines in sorted(changed.items()):
            yield (
                sheet,
                [
                    {"engagement": engagement, "entries": of_one}
                    for engagement, of_one in sorted(lines.items())
                ],
            )

"""The page on what is confidential lists what the contracts and the tests have."""

import re
from collections.abc import Iterator
from pathlib import Path

from contracts.event import EVENTS
from tests.unit.finance.test_two_sets_of_cost_rates import EXCEPTIONS

PAGE = Path(__file__).parents[2] / "docs" / "access.md"


def rows(section: str) -> Iterator[list[str]]:
    """Yield the cells of the rows of a section's table, without backquotes."""
    text = PAGE.read_text().split(f"## {section}\n")[1].partition("\n## ")[0]
    for line in re.findall(r"^\|(.+)\|$", text, re.MULTILINE)[2:]:
        yield [cell.strip().strip("`") for cell in line.split("|")]


def test_the_page_lists_every_confidential_event() -> None:
    listed = {(channel, event) for channel, event, _ in rows("Events")}
    assert listed == {
        (each.channel.name, each.type.split(".")[2])
        for each in EVENTS.values()
        if each.channel.confidential
    }


def test_the_exceptions_are_the_fields_that_the_tests_leave_out() -> None:
    assert {(event, field) for event, field, *_ in rows("Exceptions")} == EXCEPTIONS

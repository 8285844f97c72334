"""Work items of all departments: who owes them can do them, and the page lists them."""

from pathlib import Path

import pytest

from chassis.domain.capability import CommandEntry
from chassis.domain.work_items import ItemKind
from contracts.refusals import REFUSALS
from delivery.service import SERVICE as DELIVERY
from finance.service import SERVICE as FINANCE
from legal.service import SERVICE as LEGAL
from sales.service import SERVICE as SALES

SERVICES = (SALES, LEGAL, DELIVERY, FINANCE)
PAGE = (Path(__file__).parents[2] / "docs" / "work-items.md").read_text()


def routes(department: str) -> dict[tuple[str, str], CommandEntry]:
    """Return the commands of a department that have a route, by kind of stream and name."""
    (service,) = (each for each in SERVICES if each.name == department)
    return {
        (each.decider.kind, entry.command.named()): entry
        for each in service.routes
        for entry in each.commands
    }


def kinds() -> list[tuple[str, ItemKind]]:
    """Return the kinds of items that the departments state, each once, with the kind of stream."""
    found = (
        (decider.kind, kind)
        for service in SERVICES
        for decider in service.all_deciders
        for source in decider.work_sources
        for kind in source.kinds
    )
    return list(dict.fromkeys(found))


def named(of_stream: tuple[str, ItemKind]) -> str:
    stream, kind = of_stream
    return f"{stream}-{kind.code}-{kind.department}-{kind.command}"


@pytest.mark.parametrize("of_stream", kinds(), ids=named)
def test_the_command_of_an_item_is_a_route_of_its_stream_and_open_to_its_role(
    of_stream: tuple[str, ItemKind],
) -> None:
    stream, kind = of_stream
    entry = routes(kind.command_of or kind.department)[kind.stream or stream, kind.command]
    assert kind.role in (entry.by or ())


@pytest.mark.parametrize("of_stream", kinds(), ids=named)
def test_an_item_has_a_code_of_the_catalogue_and_blocks_commands(
    of_stream: tuple[str, ItemKind],
) -> None:
    _, kind = of_stream
    every = {name for service in SERVICES for _, name in routes(service.name)}
    assert kind.code in REFUSALS
    assert {*kind.blocks} <= every


def row(kind: ItemKind, *, confidential: bool) -> tuple[str, ...]:
    """Return the cells of the page for a kind of items."""
    command_of = kind.command_of or kind.department
    command = f"`{kind.command}`"
    return (
        f"`{kind.code}`" + (" (confidential)" if confidential else ""),
        "customer" if kind.by_customer else f"{kind.department}, {kind.role}",
        kind.owed_to,
        command
        + (f" ({kind.stream})" if kind.stream else "")
        + (f" of {command_of}" if command_of != kind.department else ""),
        ", ".join(f"`{each}`" for each in kind.blocks),
    )


def stated(department: str) -> set[tuple[str, ...]]:
    """Return the rows of the kinds that a department states."""
    (service,) = (each for each in SERVICES if each.name == department)
    return {
        row(kind, confidential=source.confidential)
        for decider in service.all_deciders
        for source in decider.work_sources
        for kind in source.kinds
    }


def listed(department: str) -> list[tuple[str, ...]]:
    """Return the rows of the page below the heading of a department."""
    _, _, rest = PAGE.partition(f"\n## {department.title()}\n")
    section = rest.partition("\n## ")[0]
    lines = [each for each in section.splitlines() if each.startswith("| `")]
    return [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]


@pytest.mark.parametrize("department", [each.name for each in SERVICES])
def test_the_page_lists_exactly_the_kinds_of_items_that_a_department_states(
    department: str,
) -> None:
    assert listed(department) == sorted(stated(department))

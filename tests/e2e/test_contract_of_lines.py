"""Test a contract of several lines that grows and shrinks: all services agree at every step.

The views are those after the commands, when every department had processed all events.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import pytest

from local.demo.reference_data import rate
from tests.e2e.scenarios import CONTRACT_STEPS, THIRD, Engagements, Kept

STEPS = tuple(CONTRACT_STEPS.values())
SIGNED = STEPS[STEPS.index("statement of work signed") :]
"""Steps at which a contract is signed."""

DISCONNECTS = {
    "cut signed": ["deliverables-differ"],  # the plan still has the deliverable
}
"""Disconnects that must be found until the next step; there are no others."""

SIGNED_CHANGES = {
    "statement of work signed": (),
    "addition signed": ("C-1",),
    "cut signed": ("C-1", "C-2"),
}
"""Changes in the contract, from a step on."""


@pytest.fixture(scope="module")
def kept(engagements: Engagements) -> dict[str, Kept]:
    return engagements.changed.kept


def amount(money: Any) -> Decimal:
    return Decimal(money["amount"])


def prices(lines: Any) -> dict[str, Decimal]:
    return {line["line"]: amount(line["price"]) for line in lines}


def hours(lines: Any) -> dict[str, Decimal]:
    """Return the hours of lines, or of changes of lines, by role."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        for each in line["hours"]:
            found[each["role"]] += Decimal(each["hours"])
    return {role: number for role, number in found.items() if number}


def change(kept: Kept, service: str, name: str) -> Any:
    """Return a change in the view of a department."""
    return next(each for each in kept.views[service]["changes"] if each["change"] == name)


def test_every_step_was_taken_in_order(kept: dict[str, Kept]) -> None:
    assert tuple(kept) == STEPS


@pytest.mark.parametrize("step", STEPS)
def test_no_disconnect_is_found_but_those_that_are_true_for_a_while(
    kept: dict[str, Kept], step: str
) -> None:
    shown = kept[step].views["gateway"]
    assert shown["complete"]
    found = [each["finding"] for each in shown["disconnects"]]
    assert found == DISCONNECTS.get(step, [])


def test_the_proposal_has_the_same_lines_and_price_everywhere(kept: dict[str, Kept]) -> None:
    of = kept["proposal submitted"].views
    proposal = of["sales"]["proposals"][-1]["content"]
    offered = prices(proposal["lines"])

    assert {line["line"]: line["pricing"] for line in proposal["lines"]} == {
        "work": "fixed",
        "management": "fixed",
        "testing": "time-and-materials",
        "support": "retainer",
    }
    shown = of["gateway"]["sales"]["proposals"]["1"]
    assert prices(shown["lines"]) == offered
    for price in (
        amount(proposal["price"]),
        amount(shown["price"]),
        amount(of["legal"]["proposal"]["price"]),
        amount(of["finance"]["proposals"][-1]["price"]),
        Decimal(of["gateway"]["summary"]["price"]),
    ):
        assert price == sum(offered.values())
    assert Decimal(shown["hours"]) == sum(hours(proposal["lines"]).values())


@pytest.mark.parametrize("step", ["deal won", "statement of work drafted"])
def test_the_deal_has_the_lines_of_the_proposal_everywhere(
    kept: dict[str, Kept], step: str
) -> None:
    of = kept[step].views
    offered = kept["proposal submitted"].views["sales"]["proposals"][-1]["content"]["lines"]
    papers = [
        of["sales"]["won"],
        of["legal"]["won"],
        of["delivery"]["contract"],
        of["gateway"]["sales"]["won"]["event"],
    ]
    if step == "statement of work drafted":
        drafted = of["legal"]["statements_of_work"][-1]["content"]
        assert kept[step].answer["statements_of_work"][-1]["content"] == drafted
        papers += [drafted, of["gateway"]["legal"]["sows"]["1"]["event"]]
        known = of["finance"]["sows"][-1]
        assert known["price"] == known["won_price"] == drafted["price"]
    for paper in papers:
        assert prices(paper["lines"]) == prices(offered)
        assert hours(paper["lines"]) == hours(offered)
        assert amount(paper["price"]) == sum(prices(offered).values())
    assert Decimal(of["gateway"]["summary"]["price"]) == sum(prices(offered).values())


@pytest.mark.parametrize("step", SIGNED)
def test_lines_price_budget_and_gateway_agree_from_the_signature_on(
    kept: dict[str, Kept], step: str
) -> None:
    of, deal = kept[step].views, kept["deal won"].views["sales"]["won"]
    signed = next(
        names
        for since, names in reversed(SIGNED_CHANGES.items())
        if STEPS.index(since) <= STEPS.index(step)
    )
    agreed, roles = prices(deal["lines"]), hours(deal["lines"])
    for name in signed:
        [scope] = change(kept[step], "delivery", name)["assessed"]["changes"]
        agreed[scope["line"]] += amount(change(kept[step], "finance", name)["price"])
        for role, more in hours([scope]).items():
            roles[role] += more
    price = sum(agreed.values())

    budget, contract = of["finance"]["budget"], of["legal"]["contract"]
    shown = of["gateway"]
    for lines in (
        contract["lines"],
        of["delivery"]["contract"]["lines"],
        shown["legal"]["contract_lines"],
        shown["finance"]["budget"]["lines"],
    ):
        assert prices(lines) == agreed
        assert hours(lines) == roles
    assert prices(budget["lines"]) == agreed
    by_line = (line["hours"].items() for line in budget["lines"])
    assert {role: Decimal(number) for items in by_line for role, number in items} == roles
    for stated in (
        contract["price"],
        of["delivery"]["contract"]["price"],
        budget["price"],
        shown["legal"]["contract_price"],
        shown["finance"]["budget"]["price"],
    ):
        assert amount(stated) == price
    assert Decimal(shown["summary"]["price"]) == price
    assert sum(amount(each["amount"]) for each in budget["schedule"]) == price
    assert amount(budget["signed_price"]) == amount(deal["price"])
    assert [each["change"] for each in of["finance"]["changes"] if each["in_budget"]] == [*signed]
    assert shown["finance"]["budget"]["amended_for"] == [*signed]


@pytest.mark.parametrize("step", SIGNED_CHANGES)
def test_the_command_of_the_signature_answers_the_new_contract(
    kept: dict[str, Kept], step: str
) -> None:
    assert kept[step].answer["contract"] == kept[step].views["legal"]["contract"]


@pytest.mark.parametrize(("name", "step"), [("C-1", "addition"), ("C-2", "cut")])
def test_a_change_has_one_price_from_finance_to_the_amendment(
    kept: dict[str, Kept], name: str, step: str
) -> None:
    """Hours are added at the listed rate, and taken away by the price per hour of the line."""
    before = kept["addition planned"].views["finance"]["budget"]["lines"]
    work = next(line for line in before if line["line"] == "work")
    planned = sum(Decimal(number) for number in work["hours"].values())
    expected = {
        "C-1": lambda more: sum(number * rate(role, "EUR") for role, number in more.items()),
        "C-2": lambda less: (amount(work["price"]) * sum(less.values()) / planned).quantize(
            Decimal("0.01")
        ),
    }
    for done in ("priced", "approved", "signed"):
        at = kept[f"{step} {done}"]
        shown = at.views["gateway"]
        [scope] = change(at, "delivery", name)["assessed"]["changes"]
        price = expected[name](hours([scope]))
        for service in ("finance", "delivery", "legal"):
            assert amount(change(at, service, name)["price"]) == price
        assert amount(at.views["sales"]["contract"]["change_prices"][name]) == price
        [priced] = shown["finance"]["changes_priced"][name]["event"]["changes"]
        assert (priced["line"], amount(priced["price_delta"])) == ("work", price)
        amendment = change(at, "legal", name)["amendment"]
        if done == "priced":
            assert amendment is None
            continue
        [drafted] = amendment["content"]["changes"]
        assert (drafted["line"], amount(drafted["price_delta"])) == ("work", price)
        assert hours([drafted]) == hours([scope])
        paper = shown["legal"]["amendments"][f"A-{name}"]
        assert amount(paper["price_delta"]) == price
        assert (paper["signed"] is not None) == (done == "signed")


def test_a_third_of_the_scope_is_taken_away(kept: dict[str, Kept]) -> None:
    work = next(
        line for line in kept["deal won"].views["sales"]["won"]["lines"] if line["line"] == "work"
    )
    cut = change(kept["cut signed"], "delivery", "C-2")["assessed"]["changes"]
    assert hours(cut) == {
        role: -(number * THIRD).quantize(Decimal("0.01")) for role, number in hours([work]).items()
    }
    for step, owed in (("cut approved", 3), ("cut signed", 2)):
        of = kept[step].views
        assert len(of["legal"]["contract"]["deliverables"]) == owed
        schedule = of["finance"]["budget"]["schedule"]
        assert sum(1 for each in schedule if each["kind"] == "on-acceptance") == owed


def test_every_line_is_billed_and_paid_until_the_closing(kept: dict[str, Kept]) -> None:
    of = kept["closed"].views
    finance, shown = of["finance"], of["gateway"]
    agreed = prices(finance["budget"]["lines"])
    billed: defaultdict[str, Decimal] = defaultdict(Decimal)
    for invoice in shown["finance"]["invoices"].values():
        for line in invoice["lines"]:
            billed[line["line"]] += amount(line["amount"])

    assert shown["stage"] == of["delivery"]["stage"] == "closed"
    assert finance["open_points"] == []
    assert finance["gross"] == finance["paid"]
    assert amount(finance["billed"]) == sum(billed.values())
    assert 0 < billed["testing"] <= agreed["testing"]
    assert {**billed, "testing": agreed["testing"]} == agreed

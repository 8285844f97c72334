"""The order of rows in lists, and how confidential disconnects affect it."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Literal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.gateway import Side
from gateway.portfolio.list_index import SORTS, EngagementRow, InvalidCursor, ListIndex
from gateway.portfolio.summary import Summary
from gateway.rules import Disconnect
from gateway.view.sections.gateway import Waiver
from gateway.view.sections.steps import Ref

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
SAID = Ref("f-1", "concord.sales.deal-won.v1", "sales", 1, AT, "")


def finding(
    rule: str, *, confidential: bool, severity: Literal["warning", "serious"] = "serious"
) -> Disconnect:
    return Disconnect(
        finding=rule,
        rule=rule,
        sentence=f"{rule} is found",
        sides=(Side(department="sales", value="2 EUR"), Side(department="legal", value="3 EUR")),
        evidence=(SAID,),
        since=AT,
        owner="delivery",
        command="baseline-plan",
        role="engagement-manager",
        severity=severity,
        confidential=confidential,
    )


def row(
    engagement: str,
    *disconnects: Disconnect,
    number: int = 1,
    attention: int = 0,
    price: str = "0",
    currency: str = "EUR",
    waived: Sequence[str] = (),
) -> EngagementRow:
    return EngagementRow(
        partition=0,
        number=number,
        summary=Summary(
            engagement=engagement,
            title=f"Title of {engagement}",
            account="acme",
            stage="delivering",
            on_hold=False,
            imported=False,
            history=False,
            import_lacks=[],
            owner="ann",
            manager=None,
            tier=None,
            currency=currency,
            price=Decimal(price),
            finish=date(2026, 6, 1),
            forecast_finish=None,
            rag=None,
            attention=attention,
            disconnects=0,
            sentence=None,
            updated=AT,
        ),
        disconnects=list(disconnects),
        waived={name: Waiver(name, "known", "vera", date(2026, 4, 1), SAID) for name in waived},
    )


def listed(
    rows: ListIndex, sort: str, *, confidential: bool, limit: int = 2
) -> list[tuple[str, int]]:
    """Return engagement and attention of the rows of all pages, in order."""
    found: list[tuple[str, int]] = []
    cursor = None
    while True:
        page = rows.engagements({}, sort, cursor, limit, confidential=confidential)
        found += [(each.engagement, each.attention) for each in page.items]
        if page.next is None:
            return found
        cursor = page.next


def test_a_confidential_disconnect_moves_a_row_only_for_readers_who_may_see_it() -> None:
    rows = ListIndex()
    rows.put(row("E-1", attention=20))
    rows.put(row("E-2", finding("loss", confidential=True), attention=0))
    rows.put(row("E-3", finding("loss", confidential=True), attention=10, waived=["loss"]))
    everybody = [("E-1", 20), ("E-3", 10), ("E-2", 0)]
    assert listed(rows, "-attention", confidential=False) == everybody
    assert listed(rows, "-attention", confidential=True) == [("E-2", 30), ("E-1", 20), ("E-3", 10)]

    rows.put(row("E-2", number=2))
    assert listed(rows, "-attention", confidential=True) == everybody


def test_a_row_counts_and_states_the_confidential_disconnects_that_its_reader_may_see() -> None:
    late = finding("late", confidential=False, severity="warning")
    hidden = (finding("loss", confidential=True), finding("known", confidential=True))
    one = row("E-1", late, *hidden, waived=["known"])
    one.summary = one.summary.model_copy(update={"disconnects": 1, "sentence": late.sentence})

    seen = one.seen(confidential=True)
    assert (seen.disconnects, seen.sentence) == (2, "loss is found")
    told = one.seen(confidential=False)
    assert (told.disconnects, told.sentence) == (1, "late is found")


@pytest.mark.parametrize("sort", SORTS)
def test_every_order_is_updated_and_can_be_reversed(sort: str) -> None:
    rows = ListIndex()
    for number, price in enumerate(("30", "4", "100")):
        rows.put(row(f"E-{number}", price=price, attention=number))
    rows.put(row("E-1", number=2, price="50", attention=7))
    rows.put(row("E-1", number=1, price="9"))  # older, and late
    up = listed(rows, sort, confidential=False)
    assert sorted(up) == [("E-0", 0), ("E-1", 7), ("E-2", 2)]
    assert listed(rows, f"-{sort}", confidential=False) == up[::-1]
    if sort == "price":
        assert [name for name, _ in up] == ["E-0", "E-1", "E-2"]


def test_prices_are_compared_within_their_currency() -> None:
    rows = ListIndex()
    prices = (
        ("E-0", "9000", "JPY"),
        ("E-1", "100", "EUR"),
        ("E-2", "20", "JPY"),
        ("E-3", "9", "EUR"),
    )
    for name, price, currency in prices:
        rows.put(row(name, price=price, currency=currency))
    up = [name for name, _ in listed(rows, "price", confidential=False)]
    assert up == ["E-3", "E-1", "E-2", "E-0"]
    down = [name for name, _ in listed(rows, "-price", confidential=False)]
    assert down == up[::-1]


LARGEST = Decimal(10) ** 26 - Decimal("0.0001")
"""The largest amount that the contracts accept."""


@given(
    st.lists(st.decimals(-LARGEST, LARGEST, places=4) | st.decimals(-9, 9, places=12), max_size=12)
)
@example([LARGEST, LARGEST - Decimal("0.0001"), -LARGEST, Decimal("0.0001") - LARGEST])
@example([Decimal(-3), Decimal(-5), Decimal("-3.1"), Decimal(0), Decimal("0.00001")])
@example([Decimal("1E+2"), Decimal("100.00"), Decimal("99.9"), Decimal("-0")])
def test_prices_of_any_size_and_sign_are_sorted(prices: list[Decimal]) -> None:
    rows = ListIndex()
    for number, price in enumerate(prices):
        rows.put(row(f"E-{number:02}", price=str(price)))
    up = [each for each, _ in listed(rows, "price", confidential=False)]
    in_order = sorted(range(len(prices)), key=lambda number: (prices[number], number))
    assert up == [f"E-{number:02}" for number in in_order]


def test_a_cursor_is_valid_for_one_order_only() -> None:
    rows = ListIndex()
    for number in range(3):
        rows.put(row(f"E-{number}"))
    cursor = rows.engagements({}, "title", None, 1, confidential=False).next
    with pytest.raises(InvalidCursor):
        rows.engagements({}, "price", cursor, 1, confidential=False)
    with pytest.raises(InvalidCursor):
        rows.engagements({}, "title", "gone", 1, confidential=False)


def test_a_row_is_replaced_by_an_older_one_or_removed() -> None:
    rows = ListIndex()
    rows.put(row("E-1", finding("late", confidential=False), number=5, attention=3))
    rows.put(row("E-2"))
    rows.put_back("E-1", row("E-1", number=4))
    assert [each.summary.attention for each in rows] == [0, 0]
    assert rows.disconnects(lambda _: True, None, 10).items == []
    rows.put_back("E-1", None)
    listed = rows.engagements({}, "title", None, 10, confidential=False)
    assert [each.engagement for each in listed.items] == ["E-2"]
    rows.put(row("E-1", number=1))
    assert len(rows) == 2

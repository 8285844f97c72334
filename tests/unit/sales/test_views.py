"""Views and list rows of Sales."""

from datetime import date
from decimal import Decimal

from contracts.delivery import StatusReportPublished
from contracts.sales import OpportunityImportUpdated
from sales.proposals.decisions import ReviseProposal
from sales.service import ENGAGEMENT
from tests.unit.sales.builders import DRAFT, MANAGER, new, opened, ready, submitted, won
from tests.unit.sales.test_opportunity import IMPORTED
from tests.unit.sales.test_other_departments import EVERYTHING, REPORT

LISTED = set(ENGAGEMENT.rows.fields)


def test_a_draft_lists_what_is_missing_and_who_owes_it() -> None:
    [proposal] = opened().consumed(MANAGER).after(DRAFT).view["proposals"]
    assert [(item.code, item.owed_by) for item in proposal.waits_for] == [
        ("estimate-not-endorsed", "delivery"),
        ("estimate-not-priced", "finance"),
        ("proposal-not-reviewed", "finance"),
    ]
    for later in (
        ready(),
        submitted(),
        submitted().after(ReviseProposal(version=1, reason="Smaller.")),
    ):
        assert later.view["proposals"][0].waits_for == ()


def test_the_view_compares_forecast_and_promised_finish() -> None:
    late = won().consumed(REPORT).view["delivery"]
    assert (late.promised_finish, late.forecast_finish) == (date(2026, 6, 30), date(2026, 7, 14))
    assert late.late_by_days == 14
    early: StatusReportPublished = REPORT.model_copy(update={"forecast_finish": date(2026, 6, 29)})
    assert won().consumed(early).view["delivery"].late_by_days == -1
    assert won().view["delivery"].late_by_days is None


def test_a_view_of_a_complete_engagement() -> None:
    view = won().consumed(*EVERYTHING).view
    assert view["contract"].statement_of_work is not None
    assert view["contract"].statement_of_work.signed_on == date(2026, 2, 3)
    assert view["delivery"].manager == "paul"
    assert view["delivery"].would_recommend == 9
    assert [(invoice.number, invoice.overdue) for invoice in view["invoices"]] == [
        ("2026-0001", False)
    ]


def test_the_list_row_of_an_engagement() -> None:
    assert set(ENGAGEMENT.rows(opened().state)) == LISTED
    line = ENGAGEMENT.rows(won().state)
    assert line == {
        "account": "acme",
        "title": "Customer portal",
        "owner": "ann",
        "stage": "won",
        "manager": "emma",
        "opened_on": "2026-01-05",
        "expected_close": "2026-03-31",
        "region": None,
        "kind_of_work": None,
        "expected_value": "17000",
        "expected_value_rounded": 17_000,
        "currency": "EUR",
        "probability": None,
        "probability_rounded": None,
        "external_id": None,
        "open_in_crm": None,
        "imported": False,
    }
    assert ENGAGEMENT.rows(opened().state)["expected_value"] == "20000"


def test_the_list_row_of_an_imported_opportunity() -> None:
    line = ENGAGEMENT.rows(new().published(IMPORTED).state)
    assert (line["imported"], line["account"], line["expected_close"]) == (True, None, None)
    assert (line["stage"], line["opened_on"]) == ("qualifying", "2025-11-03")
    assert set(ENGAGEMENT.rows(new().consumed(MANAGER).state)) == LISTED


def test_the_list_has_the_crm_in_which_a_deal_is_open() -> None:
    imported = new().published(IMPORTED)
    line = ENGAGEMENT.rows(imported.state)
    assert (line["external_id"], line["open_in_crm"]) == (IMPORTED.external_id, IMPORTED.source)
    closed = IMPORTED.model_copy(update={"outcome": "lost"})
    moved = OpportunityImportUpdated(**dict(closed), changed=("outcome",), applied=False)
    assert ENGAGEMENT.rows(imported.published(moved).state)["open_in_crm"] is None


def test_the_list_has_the_probability_of_the_view() -> None:
    likely = IMPORTED.model_copy(update={"probability": Decimal("0.6")})
    line = ENGAGEMENT.rows(new().published(likely).state)
    assert (line["probability"], line["probability_rounded"]) == ("0.6", 1)


def test_the_list_is_sorted_by_amounts_within_their_currency() -> None:
    assert ENGAGEMENT.rows.within == {"expected_value_rounded": "currency"}

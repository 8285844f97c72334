"""Views and list rows of Sales."""

from datetime import date

from contracts.delivery import StatusReportPublished
from sales.proposals import ReviseProposal
from sales.views import LISTED, engagement_view, summary
from tests.unit.sales.examples import DRAFT, MANAGER, eur, new, opened, ready, submitted, won
from tests.unit.sales.test_hearing import EVERYTHING, REPORT
from tests.unit.sales.test_opportunities import IMPORTED


def test_a_draft_lists_what_is_missing_and_who_owes_it() -> None:
    [proposal] = engagement_view(opened.consumed(MANAGER).after(DRAFT).state).proposals
    assert [(item.code, item.owed_by) for item in proposal.waits_for] == [
        ("estimate-not-endorsed", "delivery"),
        ("estimate-not-priced", "finance"),
    ]
    for later in (ready, submitted, submitted.after(ReviseProposal(version=1, reason="Smaller."))):
        assert engagement_view(later.state).proposals[0].waits_for == ()


def test_the_view_compares_forecast_and_promised_finish() -> None:
    late = engagement_view(won.consumed(REPORT).state).delivery
    assert (late.promised_finish, late.forecast_finish) == (date(2026, 6, 30), date(2026, 7, 14))
    assert late.late_by_days == 14
    early: StatusReportPublished = REPORT.model_copy(update={"forecast_finish": date(2026, 6, 29)})
    assert engagement_view(won.consumed(early).state).delivery.late_by_days == -1
    assert engagement_view(won.state).delivery.late_by_days is None


def test_a_view_of_a_complete_engagement() -> None:
    view = engagement_view(won.consumed(*EVERYTHING).state)
    assert view.contract.statement_of_work is not None
    assert view.contract.statement_of_work.signed_on == date(2026, 2, 3)
    assert view.delivery.manager == "paul"
    assert view.delivery.would_recommend == 9
    assert [(invoice.number, invoice.overdue) for invoice in view.invoices] == [
        ("2026-0001", False)
    ]


def test_the_list_row_of_an_engagement() -> None:
    assert tuple(summary(opened.state)) == LISTED
    line = summary(won.state)
    assert line == {
        "account": "acme",
        "title": "Customer portal",
        "owner": "ann",
        "stage": "won",
        "manager": "emma",
        "opened_on": "2026-01-05",
        "expected_close": "2026-03-31",
        "expected_value": 17_000,
        "currency": "EUR",
        "probability": None,
        "imported": False,
    }
    assert summary(opened.state)["expected_value"] == int(eur(20_000).amount)


def test_the_list_row_of_an_imported_opportunity() -> None:
    line = summary(new.published(IMPORTED).state)
    assert (line["imported"], line["account"], line["expected_close"]) == (True, None, None)
    assert (line["stage"], line["opened_on"]) == ("qualifying", "2025-11-03")
    assert set(summary(new.consumed(MANAGER).state)) == set(LISTED)

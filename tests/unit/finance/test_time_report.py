"""Test the time report of an invoice: its works by line and day, with their persons and hours."""

from datetime import date
from decimal import Decimal

import pytest

from chassis.domain.commands import Refused
from finance.invoices.time_report import time_report
from tests.amounts import eur
from tests.unit.finance.builders import MONDAY
from tests.unit.finance.test_credit_notes import INVOICE, credited, hourly
from tests.unit.finance.test_edited_drafts import drafted, lower


def test_the_time_report_lists_each_work_of_an_invoice() -> None:
    report = time_report(hourly().state, INVOICE)
    assert report.number == "2026-00001"
    assert [
        (each.entry, each.on, each.person, each.role, each.hours, each.amount)
        for each in report.works
    ] == [
        ("a", MONDAY, "dev", "developer", Decimal(8), eur(800)),
        ("b", date(2026, 4, 7), "dev", "developer", Decimal(8), eur(800)),
        ("c", date(2026, 4, 8), "dev", "architect", Decimal(8), eur(1_120)),
        ("train", MONDAY, "dev", None, None, eur(50)),
    ]
    assert (report.hours, report.amount) == (Decimal(24), eur(2_770))


def test_the_time_report_follows_edits_and_credits() -> None:
    draft = drafted()
    lowered = time_report(draft.after(lower(draft, "architect", 1_000)).state, INVOICE)
    assert [each.written_down for each in lowered.works] == [None, None, eur(120), None]
    assert (lowered.number, lowered.amount) == (None, eur(2_650))
    again = time_report(credited(hourly(), entries=("b",)).state, INVOICE)
    assert [each.entry for each in again.works] == ["a", "c", "train"]
    with pytest.raises(Refused, match="no invoice tea"):
        time_report(draft.state, "tea")

"""Signed amendments change the contract, and so the rules that compare with it."""

from decimal import Decimal

from contracts import delivery, legal
from contracts.lines import LineChange
from contracts.values import Margin
from gateway.portfolio.figures import contribution
from gateway.portfolio.summary import summary
from tests.amounts import eur
from tests.builders import HASH, PORTAL, REPORTS, Life, line_change
from tests.unit.gateway.test_disconnects import evidence, findings, margin_measured, only
from tests.unit.gateway.test_engagement_view import view_of


def amended(
    name: str,
    life: Life,
    days: int,
    *,
    finish: int = 150,
    change: LineChange | None = None,
) -> legal.AmendmentSigned:
    """Return an amendment that both parties signed on day `days`."""
    change = change or line_change("build", 0)
    return legal.AmendmentSigned(
        amendment=f"A-{name}",
        change=name,
        content_hash=HASH,
        changes=(change,),
        price_delta=change.price_delta,
        finishes_on=life.day(finish),
        signatories=(),
        signed_on=life.day(days),
    )


def without(*deliverables: str) -> LineChange:
    """Return a change that takes deliverables away."""
    return line_change("build", 0).model_copy(update={"deliverables_removed": deliverables})


def test_an_amendment_moves_the_promised_finish() -> None:
    life = Life().worked(8)
    life.say(95, life.report(9, 95, finish=180))
    life.say(96, amended("C-1", life, 96, finish=180))
    assert findings(life) == {}


def test_the_amendment_that_was_signed_last_determines_the_promised_finish() -> None:
    life = Life().worked(8)
    drafted = legal.AmendmentDrafted.model_validate(
        {
            **amended("C-2", life, 91).model_dump(exclude={"signatories", "signed_on"}),
            "engagement": life.engagement,
            "company": "our",
            "customer": "acme",
            "template": "amendment",
            "template_version": 1,
            "scope_delta": "Less.",
        }
    )
    life.say(89, drafted).say(90, amended("C-1", life, 90, finish=180))
    life.say(91, amended("C-2", life, 91, finish=160))
    finding = only(life.say(95, life.report(9, 95, finish=175)))

    assert finding.finding == "promised-finish-before-forecast"
    assert finding.days == 15
    assert evidence(finding) == ["amendment-signed", "status-report-published"]
    view = view_of(life.events)
    assert view.legal.contract_finish == life.day(160)
    assert summary(view, {}).finish == life.day(160)


def test_a_removed_deliverable_is_billed_without_acceptance_until_it_is_added_again() -> None:
    life = Life().worked(8)
    life.say(96, amended("C-1", life, 96, change=without("reports")))
    life.say(97, life.plan(2).model_copy(update={"deliverables": (PORTAL,), "milestones": ()}))
    life.say(
        98,
        delivery.DeliverableSubmitted(
            deliverable="portal", submission=1, content_hash=HASH, submitted_on=life.day(98)
        ),
        delivery.DeliverableAccepted(
            deliverable="portal", submission=1, accepted_by="cora", accepted_on=life.day(98)
        ),
    )
    life.say(99, *life.invoice(life.schedule()[1], 2, 99))
    assert findings(life) == {}

    added = line_change("build", 0).model_copy(update={"deliverables_added": (REPORTS,)})
    life.say(100, amended("C-2", life, 100, change=added))
    found = findings(life.say(100, life.plan(3)), 101)
    assert set(found) == {"billed-before-acceptance.I-final"}
    assert found["billed-before-acceptance.I-final"].sentence.endswith("not accepted yet: reports.")


def test_an_invoice_for_removed_deliverables_only_still_needs_acceptance() -> None:
    life = Life().worked(8)
    removed = amended("C-1", life, 96, change=without("reports"))
    life.say(96, removed).say(97, life.plan(2).model_copy(update={"deliverables": (PORTAL,)}))
    reports = life.schedule()[1].model_copy(update={"deliverables": ("reports",)})
    finding = only(life.say(98, *life.invoice(reports, 2, 98)))
    assert finding.finding == "billed-before-acceptance.I-final"


def test_a_forecast_margin_is_compared_with_the_sold_margin_that_includes_its_changes() -> None:
    life = Life().worked(8)
    sold = Margin(revenue=eur(160_000), cost=eur(129_600), margin=Decimal("0.19"))
    assert findings(life.say(96, margin_measured(life, "18.8", sold))) == {}

    finding = only(life.say(97, margin_measured(life, "12", sold)))
    assert finding.sentence == "Sold at a margin of 19.0%, forecast to end at 12.0%."


def test_the_portfolio_counts_the_sold_margin_that_finance_measured_last() -> None:
    life = Life().worked(8)
    before = contribution(view_of(life.events), ())
    assert before["EUR.margin-sold.revenue"] == Decimal(100_000)

    sold = Margin(revenue=eur(160_000), cost=eur(130_000), margin=Decimal("0.1875"))
    after = contribution(view_of(life.say(96, margin_measured(life, "18", sold)).events), ())
    assert after["EUR.margin-sold.revenue"] == Decimal(160_000)
    assert after["EUR.margin-sold.cost"] == Decimal(130_000)

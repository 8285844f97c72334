"""Views and list rows of engagements and accounts in Sales."""

from collections.abc import Mapping
from datetime import date
from typing import Literal

from chassis.base.view_model import ViewModel, whole
from contracts.channels import Department
from contracts.delivery import EngagementPutOnHold, StatusReportPublished
from contracts.finance import EstimatePriced
from contracts.gateway import Disconnect
from contracts.legal import EngagementTerminated
from contracts.money import Money
from contracts.reference import AccountPublished
from contracts.sales import (
    DealLost,
    DealWon,
    EstimateRequested,
    OpportunityImported,
    OpportunityQualified,
    ProposalDrafted,
)
from contracts.values import (
    AccountId,
    Confidence,
    Days,
    Percent,
    PersonId,
    TotalDays,
    Version,
)
from sales.proposals import waits_for
from sales.state import Account, Amendment, Engagement, Estimate, Stage, Statement


class Owed(ViewModel):
    """A precondition that is missing before the proposal may be submitted, and who owes it."""

    code: str
    sentence: str
    owed_by: Department | None


class EstimateView(ViewModel):
    """A version of the estimate: duration in days, confidence, endorsement and price."""

    version: Version
    duration_days: Days | None
    confidence: Confidence | None
    endorsed_by: PersonId | None
    priced: EstimatePriced | None


class ProposalView(ViewModel):
    """A version of the proposal; `waits_for` lists what is missing for its submission (gate 1)."""

    version: Version
    status: Literal["drafted", "submitted", "withdrawn"]
    submitted_on: date | None
    content: ProposalDrafted
    waits_for: tuple[Owed, ...]


class InvoiceView(ViewModel):
    """An invoice to the customer, with the amounts paid and credited."""

    number: str
    amount: Money
    paid: Money
    credited: Money
    voided: bool
    issued_on: date
    due_on: date
    overdue: bool


class DeliveryView(ViewModel):
    """Progress of the work against the promised dates.

    `late_by_days` is the forecast finish less the promised finish, in calendar days; negative where
    it is early. `would_recommend` is the answer to the survey, 0 to 10.
    """

    manager: PersonId | None
    managed_since: date | None
    kicked_off_on: date | None
    promised_finish: date | None
    forecast_finish: date | None
    late_by_days: TotalDays | None
    status_report: StatusReportPublished | None
    on_hold: EngagementPutOnHold | None
    live_on: date | None
    would_recommend: int | None
    closed_on: date | None


class ContractView(ViewModel):
    """Agreements, statement of work, amendments, prices of changes, and termination."""

    nda_signed_on: date | None
    msa_signed_on: date | None
    statement_of_work: Statement | None
    amendments: dict[str, Amendment]
    change_prices: dict[str, Money]
    terminated: EngagementTerminated | None


class EngagementView(ViewModel):
    """An engagement, as Sales shows it."""

    engagement: str
    account: AccountId | None
    title: str | None
    owner: PersonId | None
    contacts: tuple[PersonId, ...]
    stage: Stage
    probability: Percent | None
    expected_value: Money | None
    expected_close: date | None
    opened_on: date | None
    imported: OpportunityImported | None
    qualified: OpportunityQualified | None
    estimate_requested: EstimateRequested | None
    estimates: tuple[EstimateView, ...]
    proposals: tuple[ProposalView, ...]
    won: DealWon | None
    lost: DealLost | None
    contract: ContractView
    delivery: DeliveryView
    invoices: tuple[InvoiceView, ...]
    disconnects: tuple[Disconnect, ...]


class AccountView(ViewModel):
    """The newest record of an account."""

    account: AccountId
    record: AccountPublished | None


def engagement_view(state: Engagement) -> EngagementView:
    """Return the view of an engagement for account executives and their managers."""
    known = state.opened or state.imported
    return EngagementView(
        engagement=state.engagement,
        account=state.account,
        title=known.title if known else None,
        owner=known.owner if known else None,
        contacts=state.opened.contacts if state.opened else (),
        stage=state.stage,
        probability=state.probability,
        expected_value=state.expected_value,
        expected_close=state.opened.expected_close if state.opened else None,
        opened_on=state.opened_on,
        imported=state.imported,
        qualified=state.qualified,
        estimate_requested=state.estimate_requested,
        estimates=tuple(_estimate(*each) for each in sorted(state.estimates.items())),
        proposals=_proposals(state),
        won=state.won,
        lost=state.lost,
        contract=ContractView(
            nda_signed_on=state.nda.signed_on if state.nda else None,
            msa_signed_on=state.msa.signed_on if state.msa else None,
            statement_of_work=state.statement,
            amendments=state.amendments,
            change_prices=state.changes,
            terminated=state.terminated,
        ),
        delivery=_delivery(state),
        invoices=_invoices(state),
        disconnects=tuple(state.disconnects.values()),
    )


LISTED = (
    "account",
    "title",
    "owner",
    "stage",
    "manager",
    "opened_on",
    "expected_close",
    "expected_value",
    "currency",
    "probability",
    "imported",
)
"""Fields by which engagements are listed, filtered and sorted."""


def summary(state: Engagement) -> Mapping[str, str | int | bool | None]:
    """Return the list row of an engagement.

    Days are written YYYY-MM-DD. For sorting, the value is in whole units of the currency (at most
    2^53 - 1) and the probability in whole percent; the engagement's view has the exact figures.
    """
    known = state.opened or state.imported
    value = state.won.price if state.won else state.expected_value
    closes = state.opened.expected_close if state.opened else None
    return {
        "account": state.account,
        "title": known.title if known else None,
        "owner": known.owner if known else None,
        "stage": state.stage,
        "manager": state.manager,
        "opened_on": str(state.opened_on) if state.opened_on else None,
        "expected_close": str(closes) if closes else None,
        "expected_value": whole(value.amount) if value else None,
        "currency": value.currency if value else None,
        "probability": None if state.probability is None else round(state.probability),
        "imported": state.imported is not None,
    }


ACCOUNTS_LISTED = ("name", "sector", "country", "own_pmo")
"""Fields by which accounts are listed, filtered and sorted."""


def account_summary(state: Account) -> Mapping[str, str | int | bool | None]:
    """Return the list row of an account."""
    return {name: getattr(state.published, name, None) for name in ACCOUNTS_LISTED}


def account_view(state: Account) -> AccountView:
    """Return the view of an account for all staff."""
    return AccountView(account=state.account, record=state.published)


def _estimate(version: int, estimate: Estimate) -> EstimateView:
    submitted = estimate.submitted
    return EstimateView(
        version=version,
        duration_days=submitted.duration_days if submitted else None,
        confidence=submitted.confidence if submitted else None,
        endorsed_by=estimate.endorsed_by,
        priced=estimate.priced,
    )


def _proposals(state: Engagement) -> tuple[ProposalView, ...]:
    return tuple(
        ProposalView(
            version=proposal.version,
            status=proposal.status,
            submitted_on=proposal.submitted_on,
            content=proposal.drafted,
            waits_for=tuple(
                Owed(code=item.code, sentence=item.sentence, owed_by=item.owed_by)
                for item in waits_for(state, proposal)
                if proposal.status == "drafted"
            ),
        )
        for proposal in state.proposals
    )


def _delivery(state: Engagement) -> DeliveryView:
    promised = state.promised_finish
    forecast = state.status_report.forecast_finish if state.status_report else None
    return DeliveryView(
        manager=state.manager,
        managed_since=state.managed_since,
        kicked_off_on=state.kicked_off_on,
        promised_finish=promised,
        forecast_finish=forecast,
        late_by_days=(forecast - promised).days if forecast and promised else None,
        status_report=state.status_report,
        on_hold=state.on_hold,
        live_on=state.live_on,
        would_recommend=state.survey.recommend if state.survey else None,
        closed_on=state.closed_on,
    )


def _invoices(state: Engagement) -> tuple[InvoiceView, ...]:
    return tuple(
        InvoiceView(
            number=invoice.issued.number,
            amount=invoice.issued.amount,
            paid=invoice.paid,
            credited=invoice.credited,
            voided=invoice.voided,
            issued_on=invoice.issued.issued_on,
            due_on=invoice.issued.due_on,
            overdue=invoice.overdue,
        )
        for invoice in state.invoices.values()
    )

"""Review the statement of work on behalf of Finance."""

from collections.abc import Iterable
from datetime import date

from chassis.base.view_model import ViewModel
from chassis.domain.capability import Capability
from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import SowReviewed
from contracts.legal import SowDrafted
from contracts.money import Money
from contracts.values import SowReview, Verdict
from finance.engagement import Engagement
from finance.policies import require_running
from finance.roles import ACCOUNTING

capability = Capability[Engagement](__name__)


class ReviewSow(SowReview, Command):
    """Approve the latest version of the statement of work for Finance, or object and say why.

    An approved version can be budgeted: its billing schedule adds up to its price, in the currency
    of the engagement, and time and materials have rates. The verdict may be changed until the
    signature.
    """


@capability.decide(ReviewSow, by=ACCOUNTING)
def review_sow(state: Engagement, command: ReviewSow, context: Context) -> Iterable[Event]:
    """Record Finance's verdict on the content that was received under this version.

    Raises Refused where the engagement is over, the version is unknown or superseded, one is
    signed, or an approved version cannot be billed.
    """
    require_running(state)
    contract = state.contract
    sow = contract.sows.get(command.version)
    if sow is None:
        raise Refused(
            "sow-unknown",
            f"Finance has not received version {command.version} of the statement of work",
        )
    known = contract.reviews.get(command.version)
    if known and known.verdict == command.verdict:
        return
    if contract.signed:
        raise Refused("sow-signed", f"version {contract.signed.version} is signed already")
    if command.version != max(contract.sows):
        raise Refused(
            "sow-superseded",
            f"version {command.version} is superseded by version {max(contract.sows)}",
        )
    if command.verdict == "approved":
        gate("sow-not-billable", _faults(state, sow))
    yield SowReviewed(**dict(command), content_hash=sow.content_hash)


def _faults(state: Engagement, sow: SowDrafted) -> Iterable[Missing]:
    version, currency = f"version {sow.version}", sow.price.currency
    if currency != state.money:
        yield Missing(
            "currency-differs",
            f"{version} is in {currency}, the engagement in {state.money}",
            "legal",
        )
    if any(item.amount.currency != currency for item in sow.billing_schedule):
        yield Missing("currency-differs", f"{version} bills in another currency too", "legal")
    else:
        billed = Money.total((item.amount for item in sow.billing_schedule), currency)
        if billed != sow.price:
            yield Missing(
                "billing-schedule-differs",
                f"the billing schedule of {version} adds up to {billed}, its price is {sow.price}",
                "legal",
            )
    if any(rate.rate.currency != currency for rate in sow.rates):
        yield Missing("currency-differs", f"{version} has rates in another currency", "legal")
    if sow.pricing == "time-and-materials" and not sow.rates:
        yield Missing(
            "rates-missing", f"{version} bills time and materials but agrees no rates", "legal"
        )


class SowView(ViewModel):
    """Version of the statement of work, and Finance's verdict on it."""

    version: int
    content_hash: str
    price: Money
    won_price: Money | None
    verdict: Verdict | None
    signed_on: date | None


class ContractFields(ViewModel):
    """Statements of work and early starts in the view of an engagement."""

    sows: list[SowView]
    early_start_until: date | None


@capability.view
def contract_view(state: Engagement) -> ContractFields:
    """Return statements of work and early starts for the view of an engagement."""
    contract, won = state.contract, state.opportunity.won
    return ContractFields(
        sows=[
            SowView(
                version=version,
                content_hash=sow.content_hash,
                price=sow.price,
                won_price=won.price if won else None,
                verdict=contract.reviews[version].verdict if version in contract.reviews else None,
                signed_on=contract.signed_on if sow is contract.sow else None,
            )
            for version, sow in sorted(contract.sows.items())
        ],
        early_start_until=contract.early_start_until,
    )

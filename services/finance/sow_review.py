"""Review the statement of work on behalf of Finance."""

from collections.abc import Iterable
from typing import Self

from pydantic import model_validator

from chassis.domain.commands import Command, Missing, Refused, gate
from chassis.domain.context import Context
from contracts.event import Event
from contracts.finance import SowReviewed
from contracts.legal import SowDrafted
from contracts.money import Money
from contracts.values import Text, Verdict, Version
from finance.state import Engagement, decide, require_running


class ReviewSow(Command):
    """Approve the latest version of the statement of work for Finance, or object and say why.

    An approved version can be budgeted: its billing schedule adds up to its price, in the currency
    of the engagement, and time and materials have rates. The verdict may be changed until the
    signature.
    """

    version: Version
    verdict: Verdict
    why: Text | None = None

    @model_validator(mode="after")
    def _explained(self) -> Self:
        if self.verdict == "objected" and self.why is None:
            raise ValueError("why is needed where the verdict is objected")
        return self


@decide.on(ReviewSow)
def review_sow(state: Engagement, command: ReviewSow, context: Context) -> Iterable[Event]:
    """Record Finance's verdict on the content that was received under this version.

    Raises Refused where the engagement is over, the version is unknown or superseded, one is
    signed, or an approved version cannot be billed.
    """
    require_running(state)
    sow = state.sows.get(command.version)
    if sow is None:
        raise Refused(
            "sow-unknown",
            f"Finance has not received version {command.version} of the statement of work",
        )
    if command.verdict == state.reviews.get(command.version):
        return
    if state.signed_version is not None:
        raise Refused("sow-signed", f"version {state.signed_version} is signed already")
    if command.version != max(state.sows):
        raise Refused(
            "sow-superseded",
            f"version {command.version} is superseded by version {max(state.sows)}",
        )
    if command.verdict == "approved":
        gate("sow-not-billable", _faults(state, sow))
    yield SowReviewed(
        version=sow.version,
        content_hash=sow.content_hash,
        verdict=command.verdict,
        why=command.why,
    )


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

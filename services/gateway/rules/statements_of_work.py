"""Rules that compare the statement of work with the deal and with work that is being done."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from gateway.rules.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.view.engagement_view import View

rules = Rules()


@rules.register("work-before-signature", title="Work before signature", owner="legal")
def work_before_signature(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find hours in weeks before the signature that no early-start authorisation covers.

    Hours count as covered in weeks of an authorisation, up to the sum of the caps.
    """
    weeks = view.delivery.weeks
    if not weeks:
        return
    signed = view.legal.signed
    early = {
        week: worked
        for week, worked in weeks.items()
        if signed is None or week + timedelta(days=6) < signed.event.signed_on
    }
    if not early:
        return
    worked = sum((item.hours for item in early.values()), Decimal(0))
    starts = view.legal.early_starts
    covered = sum(
        (
            item.hours
            for week, item in early.items()
            if any(
                start.said.occurred_at.date() <= week + timedelta(days=6)
                and week <= start.event.expires_on
                for start in starts
            )
        ),
        Decimal(0),
    )
    cap = sum((start.event.cap_hours for start in starts), Decimal(0))
    beyond = max(worked - covered, worked - cap)
    if beyond <= 0:
        return
    first = min(early)
    if starts:
        sentence = (
            f"{hours(worked)} were worked before the signature; the early-start authorisation "
            f"covers {hours(min(covered, cap))} of them."
        )
    else:
        sentence = (
            f"{hours(worked)} were worked before the statement of work was signed, "
            "with no early-start authorisation."
        )
    yield rule.disconnect(
        sentence,
        (early[first].first, *(start.said for start in starts), signed.said if signed else None),
        owner="legal" if signed is None else "delivery",
        stake=view.price,
        severity="serious" if signed is None else "warning",
    )


@rules.register("signed-version-not-latest", title="Signed is not the latest", owner="legal")
def signed_version(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a signed version that is not the latest drafted version, or has other content."""
    signed, latest = view.legal.signed, view.legal.latest_sow
    if signed is None or latest is None:
        return
    if signed.event.version != latest.event.version:
        sentence = (
            f"Version {signed.event.version} of the statement of work was signed, "
            f"version {latest.event.version} is the latest."
        )
    elif signed.event.content_hash != latest.event.content_hash:
        sentence = f"Version {signed.event.version} was signed with other content than was drafted."
    else:
        return
    yield rule.disconnect(
        sentence,
        (signed.said, latest.said),
        stake=latest.event.price,
        severity="serious",
    )


@rules.register(
    "sow-price-differs",
    title="Contract price differs from the deal",
    owner="legal",
)
def sow_price(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a statement of work at another price than the deal."""
    won, sow = view.sales.won, view.legal.signed_sow or view.legal.latest_sow
    if won is None or sow is None:
        return
    sold, contracted = won.event.price, sow.event.price
    if contracted == sold:
        return
    if contracted.currency != sold.currency:
        sentence = f"The deal is in {sold.currency}, the contract in {contracted.currency}."
        stake = sold
    else:
        sentence = f"The deal was won at {sold}, the statement of work says {contracted}."
        stake = sold - contracted
    yield rule.disconnect(
        sentence,
        (won.said, sow.said),
        stake=stake,
        severity="serious",
    )

"""Rules that compare the statement of work with the deal and with work that is being done."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from gateway.disconnects.rule import Disconnect, Rule, Rules, Tolerances, hours
from gateway.engagement_view import View

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
        if signed is None or week + timedelta(days=6) < signed.signed_on
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
                and week <= start.expires_on
                for start in starts
            )
        ),
        Decimal(0),
    )
    cap = sum((start.cap_hours for start in starts), Decimal(0))
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
    if signed.version != latest.version:
        sentence = (
            f"Version {signed.version} of the statement of work was signed, "
            f"version {latest.version} is the latest."
        )
    elif signed.content_hash != latest.content_hash:
        sentence = f"Version {signed.version} was signed with other content than was drafted."
    else:
        return
    yield rule.disconnect(
        sentence,
        (signed.said, latest.said),
        stake=latest.price,
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
    if won is None or sow is None or sow.price == won.price:
        return
    if sow.price.currency != won.price.currency:
        sentence = f"The deal is in {won.price.currency}, the contract in {sow.price.currency}."
        stake = won.price
    else:
        sentence = f"The deal was won at {won.price}, the statement of work says {sow.price}."
        stake = won.price - sow.price
    yield rule.disconnect(
        sentence,
        (won.said, sow.said),
        stake=stake,
        severity="serious",
    )

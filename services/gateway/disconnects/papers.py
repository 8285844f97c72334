"""What was signed against what was won, and against what is already being done."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from gateway.disconnects.finding import Finding, Tolerances, found, hours
from gateway.fold import View


def work_before_signature(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """Hours lie in weeks before the signature, with no authorisation or beyond its cap."""
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
    yield found(
        "work-before-signature",
        sentence,
        (early[first].first, *(start.said for start in starts), signed.said if signed else None),
        "legal" if signed is None else "delivery",
        stake=view.price,
        severity="serious" if signed is None else "warning",
    )


def signed_version(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The version that was signed is not the latest that was drafted, or other content."""
    signed, latest = view.legal.signed, view.legal.latest_sow
    if signed is None or latest is None:
        return
    if signed.version != latest.version:
        sentence = (
            f"Version {signed.version} of the statement of work was signed, "
            f"version {latest.version} is the latest."
        )
    elif signed.content_hash != latest.content_hash:
        sentence = f"What was signed as version {signed.version} is not what was drafted."
    else:
        return
    yield found(
        "signed-version-not-latest",
        sentence,
        (signed.said, latest.said),
        "legal",
        stake=latest.price,
        severity="serious",
    )


def sow_price(view: View, today: date, allowed: Tolerances) -> Iterable[Finding]:
    """The statement of work has another price than the deal."""
    won, sow = view.sales.won, view.legal.signed_sow or view.legal.latest_sow
    if won is None or sow is None or sow.price == won.price:
        return
    if sow.price.currency != won.price.currency:
        sentence = f"The deal is in {won.price.currency}, the contract in {sow.price.currency}."
        stake = won.price
    else:
        sentence = f"The deal was won at {won.price}, the statement of work says {sow.price}."
        stake = won.price - sow.price
    yield found(
        "sow-price-differs",
        sentence,
        (won.said, sow.said),
        "legal",
        stake=stake,
        severity="serious",
    )

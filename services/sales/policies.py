"""Check what several decisions of Sales require: an open sale, an adopted opportunity."""

from chassis.domain.commands import Refused
from sales.engagement import Engagement


def require_open_sale(state: Engagement) -> None:
    """Refuse unless an opportunity exists and the deal is neither won nor over."""
    if state.opportunity.known is None:
        raise Refused(
            "opportunity-not-opened", "no opportunity has been opened for this engagement"
        )
    require_not_ended(state)
    if state.stage == "won":
        raise Refused("deal-won", "the deal is already won; request a change instead")


def is_open_sale(state: Engagement) -> bool:
    """Return whether an opportunity exists and the deal is neither won nor over."""
    try:
        require_open_sale(state)
    except Refused:
        return False
    return True


def require_not_ended(state: Engagement) -> None:
    """Refuse a deal that was lost or imported as ended, a terminated or closed engagement."""
    over = ended(state)
    if over is not None:
        raise over


def ended(state: Engagement) -> Refused | None:
    """Return the refusal of a deal or an engagement that has ended, or None."""
    if state.opportunity.lost:
        return Refused("engagement-over", f"the deal was lost on {state.opportunity.lost.lost_on}")
    imported = state.opportunity.imported
    if imported and state.opportunity.imported_end:
        day = f" on {imported.closed_on}" if imported.closed_on else ""
        how = f"{imported.outcome}{day}"
        return Refused("engagement-over", f"the deal was {how}, before it was imported")
    terminated = state.contract.terminated
    if terminated:
        how = f"terminated on {terminated.terminated_on}"
        return Refused("engagement-over", f"the engagement was {how}")
    closed_on = state.progress.closed_on
    if closed_on:
        return Refused("engagement-over", f"the engagement was closed on {closed_on}")
    return None


def require_adopted(state: Engagement) -> None:
    """Refuse an imported opportunity that has not been adopted.

    It often has no value, account or expected close. The other departments get all three with
    OpportunityOpened, which adoption publishes.
    """
    if state.opportunity.opened is None:
        raise Refused(
            "opportunity-not-adopted",
            "the opportunity was imported: adopt it first, so that others can work on it",
        )

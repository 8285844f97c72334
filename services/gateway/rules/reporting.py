"""Rules about status reports, about an early close and about a step that is overdue."""

from collections.abc import Iterable
from datetime import date, timedelta

from contracts.channels import CHANNELS, Department
from contracts.counting import counted
from contracts.reference import Tolerances
from contracts.values import REPORT_DAYS
from gateway.formatting import day, words
from gateway.rules.amounts import total
from gateway.rules.rule import Disconnect, End, Rule, Rules, midnight
from gateway.rules.sides import side
from gateway.view.engagement_view import View
from gateway.view.sections.steps import Ref

rules = Rules()

_PAID = End("finance", "allocate-payment")
_CLOSED = End("delivery", "close-raid-item")
_SUBMITTED = End("delivery", "submit-deliverable")
_MET = End("legal", "meet-obligation")


@rules.register(
    "no-status-report", title="No status report", owner="delivery", command="publish-status-report"
)
def no_status_report(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find a running engagement whose last status report is older than its tier allows."""
    delivery = view.delivery
    if view.stage != "delivering" or view.on_hold:
        return
    if delivery.report is not None:
        last, start = delivery.report.said, delivery.report.event.as_of
    elif delivery.kickoff is not None:
        last, start = delivery.kickoff.said, delivery.kickoff.event.held_on
    else:
        return
    cadence = REPORT_DAYS[delivery.tier or "standard"] + allowed.report_grace_days
    late = (today - start).days - cadence
    if late > 0:
        what = "The last status report is of" if delivery.report else "No status report since"
        yield rule.disconnect(
            f"{what} {day(start)}; one is due every "
            f"{counted(REPORT_DAYS[delivery.tier or 'standard'], 'day')}.",
            (last,),
            sides=(
                side(
                    "delivery",
                    f"tier {delivery.tier or 'standard'}: a report every "
                    f"{counted(REPORT_DAYS[delivery.tier or 'standard'], 'day')}",
                    delivery.tier_chosen.said if delivery.tier_chosen else None,
                ),
                side(
                    "delivery",
                    f"{'last report' if delivery.report else 'kickoff, and no report since'}",
                    last,
                    on=start,
                ),
            ),
            since=midnight(start + timedelta(days=cadence)),
            days=late,
            exposure=view.price,
        )


@rules.register(
    "closing-with-loose-ends",
    title="Loose ends at the close",
    owner="delivery",
    command="close-raid-item",
)
def closing_with_loose_ends(
    rule: Rule, view: View, today: date, allowed: Tolerances
) -> Iterable[Disconnect]:
    """Find an engagement that is closed or reviewed while an invoice, issue or acceptance is open.

    An invoice or an obligation of the contract counts while it is overdue. Only invoices have an
    amount.
    """
    delivery = view.delivery
    done = delivery.closed.said if delivery.closed else delivery.review_held
    if done is None:
        return
    unpaid = {
        invoice.number: (invoice.outstanding, invoice.overdue)
        for invoice in view.finance.receivables()
        if invoice.overdue is not None
    }
    loose: list[tuple[str, Ref, End]] = [
        (f"invoice {number} ({amount} unpaid)", overdue, _PAID)
        for number, (amount, overdue) in unpaid.items()
    ]
    loose += [
        (f"issue “{item.title}”", item.said, _CLOSED)
        for item in delivery.open_items()
        if item.kind == "issue"
    ]
    loose += [
        (f"{name} is not accepted", item.said, _SUBMITTED)
        for name, item in delivery.deliverables.items()
        if not delivery.is_accepted(name) and name in view.legal.contract_deliverables
    ]
    loose += [
        (f"the obligation of the {item.owed_by} by clause {item.clause}", item.said, _MET)
        for item in view.legal.obligations.values()
        if item.is_overdue(today)
    ]
    if loose:
        _, said, end = loose[0]
        yield rule.disconnect(
            "The engagement is being closed with loose ends: "
            f"{', '.join(what for what, *_ in loose)}.",
            (done, *(event for _, event, _ in loose)),
            sides=(
                side("delivery", "closed" if delivery.closed else "review held", done),
                side(end.owner, f"open: {', '.join(what for what, *_ in loose)}", said),
            ),
            end=end,
            exposure=view.price,
            at_stake=total(amount for amount, _ in unpaid.values()),
            severity="serious",
        )


@rules.register(
    "next-step-overdue", title="Next step overdue", owner="delivery", command="hold-kickoff"
)
def next_step(rule: Rule, view: View, today: date, allowed: Tolerances) -> Iterable[Disconnect]:
    """Find a department that owes the next step and has published nothing for too many days."""
    owed = _owed_step(view)
    if owed is None or view.on_hold:
        return
    (owner, command), step, asked = owed
    fresh = view.freshness.get(owner)
    latest = asked.occurred_at if fresh is None else max(asked.occurred_at, fresh.occurred_at)
    since, last = asked.occurred_at.date(), latest.date()
    if (today - last).days > allowed.silence_days:
        yield rule.disconnect(
            f"{owner.capitalize()} owes {step} since {day(since)}"
            + ("." if last == since else f" and has published nothing since {day(last)}."),
            (asked,),
            sides=(
                side(_department(asked), _asked(asked), asked),
                side(owner, "nothing published" if last == since else "no answer", on=last),
            ),
            end=End(owner, command),
            since=midnight(last + timedelta(days=allowed.silence_days)),
            days=(today - since).days,
            exposure=view.price,
        )


def _department(asked: Ref) -> Department:
    return CHANNELS[asked.channel].department


def _asked(asked: Ref) -> str:
    """Return the event that asks for a step in words, such as "deal won"."""
    return words(asked.type.split(".")[2])


def _owed_step(view: View) -> tuple[tuple[Department, str], str, Ref] | None:
    """Return who owes the next step with what command, the step, and the event that asks for it."""
    sales, legal, delivery, finance = view.sales, view.legal, view.delivery, view.finance
    proposal = sales.latest_proposal
    if sales.won is not None:
        sow = legal.latest_sow
        if sow is None:
            return ("legal", "draft-sow"), "a statement of work", sales.won.said
        if legal.signed is None:
            of_delivery = delivery.sow_reviews.get(sow.event.version)
            of_finance = finance.sow_reviews.get(sow.event.version)
            objections = [
                review.said
                for review in (of_delivery, of_finance)
                if review is not None and review.event.verdict == "objected"
            ]
            if objections:  # a new version is needed even if the other review approves this one
                step = "a new version of the statement of work"
                return ("legal", "draft-sow"), step, _earlier(*objections)
            review = f"its review of version {sow.event.version}"
            if of_delivery is None:
                return ("delivery", "review-sow"), review, sow.said
            if of_finance is None:
                return ("finance", "review-sow"), review, sow.said
            reviewed = _later(of_delivery.said, of_finance.said)
            return ("legal", "record-signature"), "the signatures", reviewed
        if finance.budget is None:
            return ("finance", "catch-up"), "the budget", legal.signed.said
        if delivery.kickoff is None:
            return ("delivery", "hold-kickoff"), "the kickoff", legal.signed.said
        return None
    if proposal is not None and proposal.submitted is not None and not proposal.revised:
        return ("sales", "win-deal"), "the customer's decision on the proposal", proposal.submitted
    waiting = [item for item in delivery.estimates.values() if item.version not in finance.priced]
    if waiting:
        return ("finance", "catch-up"), "a price on the estimate", waiting[-1].said
    asked = sales.estimate_requested
    if asked is not None and all(
        item.said.occurred_at < asked.occurred_at for item in delivery.estimates.values()
    ):
        return ("delivery", "submit-estimate"), "the estimate", asked
    return None


def _later(one: Ref, other: Ref) -> Ref:
    return max(one, other, key=lambda event: event.occurred_at)


def _earlier(*events: Ref) -> Ref:
    return min(events, key=lambda event: event.occurred_at)

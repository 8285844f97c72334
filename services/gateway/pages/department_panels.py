"""Panels of an engagement's page, one per department, with the last event of each channel."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.channels import CHANNELS, DEPARTMENTS
from contracts.counting import counted
from contracts.decimals import round_decimal
from contracts.delivery import EngagementImported
from contracts.legal import EarlyStart
from contracts.lines import ContractLine, PerformanceObligation, ProposedLine
from contracts.money import Money
from contracts.reference import AgreementPublished
from contracts.survey_scores import csat_of, nps_of
from gateway.formatting import (
    hours,
    money,
    number,
    points,
    sentence_case,
    short_day,
    words,
)
from gateway.pages.invoices import invoice_state
from gateway.pages.names import Names, channel_name, rule_title
from gateway.view.approved_work import approved_work
from gateway.view.engagement_view import View
from gateway.view.sections.delivery.changes import Change
from gateway.view.sections.delivery.raid import RaidItem
from gateway.view.sections.delivery.surveys import Survey
from gateway.view.sections.finance.budget import Budget
from gateway.view.sections.finance.invoices import Invoice
from gateway.view.sections.legal import Obligation


@dataclass(frozen=True, slots=True)
class ChannelFreshness:
    """The number of events of a channel in the view, and of those known to be missing.

    The moments are those of its last event (UTC). Events are missing that the authors of other
    events had processed.
    """

    name: str
    events: int
    occurred_at: datetime | None
    recorded_at: datetime | None
    missing: int


def freshness(view: View, department: str, *, confidential: bool) -> list[ChannelFreshness]:
    """Return the freshness of a department's channels; an empty one only if it is the first."""
    found: list[ChannelFreshness] = []
    missing = view.missing(confidential=confidential)
    for name, channel in CHANNELS.items():
        if channel.department != department or channel.kind != "events":
            continue
        fresh = view.freshness.get(name)
        events = fresh.streamsequence if fresh else 0
        if (channel.confidential and (not confidential or not events)) or (not events and found):
            continue
        found.append(
            ChannelFreshness(
                channel_name(name),
                events,
                fresh.occurred_at if fresh else None,
                fresh.recorded_at if fresh else None,
                max(0, missing.get(name, 0) - events),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class PanelRow:
    """A labelled row of a panel, of one or several lines."""

    label: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """The panel of one department."""

    department: str
    rows: tuple[PanelRow, ...]
    freshness: list[ChannelFreshness]


def titles_by_id(view: View) -> dict[str, str]:
    """Return the titles of the engagement's deliverables, milestones and lines by id."""
    baseline, won = view.delivery.baseline, view.sales.won
    titles = dict(won.event.deliverables) if won else {}
    for line in (*(won.event.lines if won else ()), *view.legal.contract_lines):
        titles[line.line] = line.title
    for proposal in view.sales.proposals.values():
        titles |= proposal.deliverables
    if view.legal.imported is not None:
        titles |= {line.line: line.title for line in view.legal.imported.event.lines}
    titles |= view.legal.contract_deliverables
    if view.delivery.imported is not None:
        taken_over = view.delivery.imported.event
        titles |= {each.deliverable: each.title for each in taken_over.deliverables}
        titles |= {each.milestone: each.title for each in taken_over.milestones}
    if baseline is not None:
        titles |= baseline.deliverables
        titles |= {each.milestone: each.title for each in baseline.milestones}
    return titles


def panels(view: View, names: Names, today: date, *, confidential: bool) -> list[Panel]:
    """Return a panel of each department and the gateway, each from its own events only.

    What was due before `today` (UTC) is marked as overdue.
    """
    rows = {
        "sales": _sales(view, names),
        "legal": _legal(view, names, today),
        "delivery": _delivery(view, names, today),
        "finance": _finance(view, names, confidential=confidential),
        "gateway": _gateway(view, names, confidential=confidential),
    }
    return [
        Panel(
            department,
            tuple(
                PanelRow(label, lines)
                for label, lines in (*rows[department], _questions(view, department, names, today))
                if lines
            ),
            freshness(view, department, confidential=confidential),
        )
        for department in DEPARTMENTS
    ]


_PanelRows = Iterable[tuple[str, tuple[str, ...]]]


def _one(text: str | None) -> tuple[str, ...]:
    return (text,) if text else ()


def _day(value: date | None) -> str:
    return "day unknown" if value is None else short_day(value)


def _hours(value: Decimal | None) -> str:
    return "hours unknown" if value is None else hours(value)


def _questions(
    view: View, department: str, names: Names, today: date
) -> tuple[str, tuple[str, ...]]:
    """Return the questions that wait for a department, or for a contact whom it asked."""
    lines = []
    for waits_for, question in view.open_questions():
        if waits_for == department:
            whom = f"{names.person(question.to_contact)}: " if question.to_contact else ""
            overdue = ", overdue" if question.due_on < today else ""
            lines.append(f"{whom}{question.about}, due {short_day(question.due_on)}{overdue}")
    return "Questions", tuple(lines)


def _sales(view: View, names: Names) -> _PanelRows:
    sales, legal_is_signed = view.sales, view.legal.signed is not None
    if sales.account is not None:
        name, legal_name = names.account(sales.account), names.legal_name(sales.account)
        yield "Account", (name, *_one(legal_name if legal_name != name else None))
    yield "Contacts", tuple(map(names.contact, sales.contacts))
    yield "Owner", _one(names.person(sales.owner) if sales.owner else None)
    yield "Imported from", _one(sales.imported_from)
    if sales.import_updated is not None and not sales.import_updated.event.applied:
        crm = sales.import_updated.event
        since = f" since {short_day(crm.closed_on)}" if crm.closed_on else ""
        worth = f", {money(crm.value)}" if crm.value else ""
        changed = ", ".join(words(each) for each in crm.changed)
        yield "In the CRM now", (f"{words(crm.outcome)}{since}{worth}", f"changed: {changed}")
    ended = sales.is_lost or sales.imported_outcome == "won"
    if sales.won is None and not ended and sales.pipeline_stage is not None:
        likely = f", {points(sales.probability)} likely" if sales.probability else ""
        yield (
            "Pipeline",
            _one(sentence_case(words(sales.pipeline_stage)) + likely),
        )
    if sales.expected_value is not None and sales.won is None:
        by = f" by {short_day(sales.expected_close)}" if sales.expected_close else ""
        yield ("Value" if ended else "Expected"), _one(money(sales.expected_value) + by)
    proposal = sales.latest_proposal
    if proposal is not None:
        management = hours(proposal.project_management_hours)
        state = "withdrawn" if proposal.revised else "submitted" if proposal.submitted else "draft"
        yield (
            f"Proposal {proposal.version}",
            (
                f"{money(proposal.price)}, {state}",
                f"{_hours(proposal.hours)}, {management} of it project management",
                *(() if sales.won else _contract_lines(proposal.lines)),
            ),
        )
        yield "Promised finish", _one(short_day(proposal.promised_finish))
    if sales.won is not None:
        won = sales.won.event
        yield (
            "Won",
            (
                f"{money(won.price)} on {short_day(won.won_on)}",
                *(() if legal_is_signed else _contract_lines(won.lines)),
            ),
        )
    elif sales.imported_outcome == "won":
        yield "Won", _one(f"{_day(sales.won_on)}, in {sales.imported_from}")
    if sales.lost is not None:
        lost = sales.lost.event
        to = f", to {lost.competitor}" if lost.competitor else ""
        yield "Lost", _one(f"{short_day(lost.lost_on)}: {lost.reason}{to}")
    elif sales.is_lost:
        yield "Lost", _one(f"{_day(sales.lost_on)}: {sales.imported_loss or 'no reason given'}")


def _agreement(agreement: AgreementPublished | None, today: date) -> str:
    if agreement is None:
        return ""
    if agreement.starts_on > today:
        return f"signed, in force from {short_day(agreement.starts_on)}"
    if not agreement.is_in_force(today):
        return f"expired on {short_day(agreement.expires_on)}"
    until = f" until {short_day(agreement.expires_on)}" if agreement.expires_on else ""
    return f"in force{until}, signed {short_day(agreement.signed_on)}"


def _legal(view: View, names: Names, today: date) -> _PanelRows:
    legal = view.legal
    for kind in ("nda", "msa"):
        yield words(kind), _one(_agreement(names.agreement(view.sales.account, kind, today), today))
    sow = legal.latest_sow
    if sow is not None:
        lines = [f"version {sow.event.version}, {money(sow.event.price)}"]
        if legal.signed is not None:
            signed = short_day(legal.signed.event.signed_on)
            lines.append(f"version {legal.signed.event.version} signed {signed}")
        elif legal.sent is not None:
            lines.append(f"version {legal.sent.event.version} is out for signature")
        elif legal.approved is not None:
            lines.append(f"version {legal.approved.event.version} approved")
        if legal.declined is not None:
            declined = legal.declined.event
            lines.append(f"version {declined.version} not signed by the {declined.party}")
        if legal.redlines:
            unresolved = sum(outcome is None for outcome in legal.redlines.values())
            lines.append(f"{counted(len(legal.redlines), 'redline')}, {unresolved} open")
        yield "Statement of work", tuple(lines)
    if legal.contract_price is not None:
        yield "Contract price", _one(money(legal.contract_price))
        yield "Lines", _contract_lines(legal.contract_lines)
        yield "Contract finish", _one(short_day(legal.contract_finish))
    yield (
        "Early start",
        tuple(
            f"{_cap(start.event)} from {short_day(start.event.starts_on)}"
            f" until {short_day(start.event.expires_on)}"
            + (", expired" if legal.has_expired(start.event) else "")
            for start in legal.early_starts
        ),
    )
    yield (
        "Amendments",
        tuple(
            f"{item.amendment}: {money(item.price_delta)}, "
            + (f"signed {short_day(item.signed_on)}" if item.signed else "not signed")
            for item in legal.amendments.values()
        ),
    )
    yield (
        "Obligations",
        tuple(_obligation(item, names, today) for item in legal.obligations.values()),
    )
    if legal.imported is not None:
        contract = legal.imported.event
        yield (
            "Contract taken over",
            (
                f"{money(contract.price)}, signed {short_day(contract.signed_on)}",
                f"until {short_day(contract.finishes_on)}",
            ),
        )
    if legal.terminated is not None:
        ended = legal.terminated.event
        yield (
            "Terminated",
            _one(f"{short_day(ended.terminated_on)}: {words(ended.reason)}"),
        )


def _obligation(item: Obligation, names: Names, today: date) -> str:
    """Return a line about an obligation; its whole text is in the timeline."""
    text = f"{names.person(item.person)}, for the {item.owed_by}: {item.clause}"
    if item.met_on is not None:
        return f"{text}, met {short_day(item.met_on)}"
    due = f", due {short_day(item.due_on)}" if item.due_on else ""
    return text + due + (", overdue" if item.is_overdue(today) else "")


def _delivery(view: View, names: Names, today: date) -> _PanelRows:
    delivery = view.delivery
    yield "Manager", _one(names.person(delivery.manager) if delivery.manager else None)
    yield "Method", _one(sentence_case(delivery.tier) if delivery.tier else None)
    if delivery.estimates and delivery.baseline is None:
        estimate = delivery.estimates[max(delivery.estimates)]
        state = "endorsed" if estimate.endorsed else "not endorsed"
        yield (
            f"Estimate {estimate.version}",
            (
                f"{_hours(estimate.hours)}, {state}",
                *(f"{words(kind)}: {money(each)}" for kind, each in estimate.purchases.items()),
            ),
        )
    yield "Requirements", _one("signed off" if delivery.requirements else None)
    baseline = delivery.baseline
    if baseline is not None:
        managing = hours(baseline.project_management_hours)
        yield (
            f"Baseline {baseline.version}",
            (
                f"{hours(baseline.hours)}, {managing} of it project management",
                f"until {short_day(baseline.finishes_on)}",
            ),
        )
        reached = sum(each.milestone in delivery.milestones_reached for each in baseline.milestones)
        yield "Milestones", _one(f"{reached} of {len(baseline.milestones)} reached")
        accepted = sum(
            name in delivery.deliverables and delivery.deliverables[name].status == "accepted"
            for name in baseline.deliverables
        )
        yield "Deliverables", _one(f"{accepted} of {len(baseline.deliverables)} accepted")
    if delivery.imported is not None:
        yield "Taken over", tuple(_taken_over(delivery.imported.event))
    waiting = delivery.waiting_hours
    if delivery.approved_hours or waiting:
        yield "Work approved", _one(hours(delivery.approved_hours))
    if waiting:
        people = len({each.person for each in delivery.waiting.values()})
        yield (
            "Awaiting approval",
            _one(f"{hours(waiting)} of {counted(people, 'person', 'people')}"),
        )
    if delivery.report is not None:
        report = delivery.report.event
        yield (
            f"Status report {report.report}",
            (
                f"scope {report.scope}, schedule {report.schedule}, cost {report.cost}",
                f"as of {short_day(report.as_of)}",
                f"“{report.narrative}”",
            ),
        )
    yield "Open", tuple(_raid_item(item, today) for item in delivery.open_items())
    yield (
        "From the customer",
        tuple(
            f"{item.description}, due {short_day(item.due_on)}"
            + (", overdue" if item.is_overdue(today) else "")
            for item in delivery.customer_inputs.values()
            if item.received_on is None
        ),
    )
    yield (
        "Customer delays",
        tuple(
            f"{counted(delay.event.days, 'day')}: {delay.event.cause}"
            for delay in delivery.customer_delays.values()
        ),
    )
    yield (
        "Changes",
        tuple(f"{change.change}: {_state(change)}" for change in delivery.changes.values()),
    )
    yield (
        "Live",
        _one(f"since {short_day(delivery.live.event.live_on)}" if delivery.live else None),
    )
    yield "Surveys", tuple(_survey(survey) for survey in delivery.surveys.values())
    if delivery.closed is not None:
        yield "Closed", _one(short_day(delivery.closed.event.closed_on))


def _taken_over(imported: EngagementImported) -> Iterable[str]:
    """Yield baseline and progress from before the platform was introduced."""
    yield f"as of {short_day(imported.as_of)}, baseline of {short_day(imported.baselined_on)}"
    spent = sum((each.hours for each in imported.hours), Decimal(0))
    yield f"{hours(spent)}, {points(imported.complete)} done"
    reached = sum(each.reached_on is not None for each in imported.milestones)
    yield f"{reached} of {len(imported.milestones)} milestones reached"
    accepted = sum(each.accepted_on is not None for each in imported.deliverables)
    yield f"{accepted} of {len(imported.deliverables)} deliverables accepted"


def _raid_item(item: RaidItem, today: date) -> str:
    due = f", due {short_day(item.due_on)}" if item.due_on else ""
    weight = f" ({item.weight})" if item.weight else ""
    overdue = ", overdue" if item.is_overdue(today) else ""
    return f"{item.kind}{weight}: {item.title}{due}{overdue}"


def _survey(survey: Survey) -> str:
    answered = f"{len(survey.answered_by)} of {len(survey.contacts)} answered"
    csat, nps = csat_of(survey.satisfaction), nps_of(survey.recommend)
    scores = [
        *([f"CSAT {points(csat, 0)}"] if csat is not None else []),
        *([f"NPS {number(round_decimal(nps, 0))}"] if nps is not None else []),
    ]
    return ", ".join([f"{survey.phase}: {answered}", *scores])


def _state(change: Change) -> str:
    if change.rejected is not None:
        return "rejected"
    if change.implemented is not None:
        return "implemented" if change.approved else "implemented, never approved"
    if change.approved is not None:
        return "approved"
    return "assessed" if change.assessed else "requested"


def _finance(view: View, names: Names, *, confidential: bool) -> _PanelRows:
    finance = view.finance
    if finance.priced and finance.budget is None:
        version = max(finance.priced)
        priced = finance.priced[version].event
        yield (
            f"Estimate {version}",
            _one(f"{money(priced.price)}, {priced.floor} the floor"),
        )
    budget, currency = finance.budget, view.currency
    if budget is not None:
        yield "Budget", (money(budget.price), hours(budget.hours))
        yield "Billed by line", tuple(_billed_by_line(view, budget))
        yield (
            "Revenue",
            tuple(
                f"{_of_lines(budget, each)} recognised {words(each.method)}"
                for each in budget.obligations
            ),
        )
    if currency is not None and finance.invoices:
        yield "Billed", _one(money(finance.billed(currency)))
        yield "Paid, with tax", _one(money(finance.paid(currency)))
        if (written_off := finance.written_off(currency)).amount:
            yield "Written off, with tax", _one(money(written_off))
    if currency is not None and finance.receivables():
        yield "Outstanding, with tax", _one(money(finance.outstanding(currency)))
    yield from _approved_work(view)
    yield from _balances(view, confidential=confidential)
    recognised = view.recognised if confidential else finance.recognised
    if recognised is not None:
        partial = finance.recognises_by_cost and not confidential
        without = ", without what is recognised by cost" if partial else ""
        yield "Recognised", _one(money(recognised) + without)
    yield (
        "Invoices from before",
        tuple(
            f"{each.number}: {money(each.open)} of {money(each.gross)} with tax open then, "
            f"{invoice_state(each)}"
            for each in finance.opening.values()
        ),
    )
    yield "Invoices", tuple(_invoice(invoice) for invoice in finance.invoices.values())
    yield (
        "To be invoiced",
        tuple(
            f"{money(due.amount)}, {words(due.kind)}"
            for due in finance.billing.values()
            if not due.invoiced
        ),
    )
    yield (
        "Drafts held",
        tuple(f"{name}: {each.held}" for name, each in finance.drafts.items() if each.held),
    )
    yield "Account", _one("settled" if finance.settled else None)
    yield "Months of the company", tuple(_closing(view, names))
    yield "Booked months", tuple(_months(view, confidential=confidential))


def _closing(view: View, names: Names) -> Iterator[str]:
    """Yield how far the months of the company that sells are closed."""
    ledger = names.ledger(view.company) if view.company is not None else None
    if ledger is None:
        return
    if ledger.closed_to is not None:
        yield f"closed to {ledger.closed_to}"
    if ledger.closing is not None:
        yield f"{ledger.closing} is being closed"


def _months(view: View, *, confidential: bool) -> Iterator[str]:
    """Yield the last booked months, the newest first."""
    costed = view.confidential.periods if confidential else {}
    for month, booked in sorted(view.finance.periods.items(), reverse=True)[:_MONTHS]:
        event = booked.event
        figures = [
            f"{money(event.billed)} billed",
            f"{money(event.paid)} paid",
            f"{money(event.recognised)} recognised",
            f"{number(event.hours)} h",
            f"{money(event.receivables)} owed",
        ]
        if month in costed:
            cost = costed[month].event
            figures.append(f"{money(cost.cost)} of cost")
            if cost.uncosted:
                figures.append(f"without that of {counted(cost.uncosted, 'work')}")
            if cost.loss.amount:
                figures.append(f"{money(cost.loss)} of expected losses")
            for balance in cost.contracts:
                of = f" of amendment {balance.amendment}" if balance.amendment else ""
                if balance.contract_asset is not None and balance.contract_asset.amount:
                    figures.append(f"contract asset{of} {money(balance.contract_asset)}")
                if balance.contract_liability is not None and balance.contract_liability.amount:
                    figures.append(f"contract liability{of} {money(balance.contract_liability)}")
        yield f"{month}: {', '.join(figures)}"


def _balances(view: View, *, confidential: bool) -> _PanelRows:
    """Yield the balances from before the platform was introduced."""
    if view.finance.imported is not None:
        opening = view.finance.imported.event
        yield (
            "Taken over",
            (
                f"as of {short_day(opening.as_of)}",
                f"{money(opening.billed)} of {money(opening.price)} billed",
                f"{money(opening.paid)} paid, without tax",
                *_recognised_before(each.recognised for each in opening.lines),
            ),
        )
    cost = view.confidential.imported
    if confidential and cost is not None:
        yield (
            "Cost taken over",
            (
                *_one(money(cost.event.cost) if cost.event.cost is not None else None),
                *_recognised_before(each.recognised for each in cost.event.lines),
            ),
        )


def _recognised_before(amounts: Iterable[Money | None]) -> tuple[str, ...]:
    known = [each for each in amounts if each is not None]
    return _one(f"{money(Money.total(known, known[0].currency))} recognised" if known else None)


def _approved_work(view: View) -> _PanelRows:
    """Yield what of the approved work of all lines is not billed, held and written down."""
    works = approved_work(view)
    for label, amounts in (
        ("Unbilled work", [each.unbilled for each in works]),
        ("Work held back", [each.held for each in works]),
        ("Work written down", [each.written_down for each in works]),
    ):
        total = Money.total(amounts, amounts[0].currency) if amounts else None
        yield label, _one(money(total) if total is not None and total.amount else None)


_SHOWN_LINES = 20
_MONTHS = 6
"""Lines of a contract that a panel shows; the others are counted."""


def _contract_lines(lines: Iterable[ContractLine]) -> tuple[str, ...]:
    """Return lines with their pricing and price, an optional one marked as such."""
    texts = [
        f"{line.title}: {money(line.price)}, {words(line.pricing)}"
        + (", estimated" if line.estimated else "")
        + (", optional" if isinstance(line, ProposedLine) and line.optional else "")
        for line in lines
    ]
    return _shortened(texts)


def _shortened(texts: Sequence[str]) -> tuple[str, ...]:
    more = len(texts) - _SHOWN_LINES
    return (*texts[:_SHOWN_LINES], f"and {more} more") if more > 0 else tuple(texts)


def _billed_by_line(view: View, budget: Budget) -> tuple[str, ...]:
    currency, invoices = budget.price.currency, view.finance.live_invoices()
    texts = []
    for line in budget.lines:
        billed = Money.total((each.billed_on(line.line) for each in invoices), currency)
        texts.append(f"{line.title}: {money(billed)} of {money(line.price)}")
    return _shortened(texts)


def _of_lines(budget: Budget, obligation: PerformanceObligation) -> str:
    titles = [line.title for line in budget.lines if line.line in obligation.lines]
    return titles[0] if len(titles) == 1 else f"{len(titles)} lines"


def _cap(start: EarlyStart) -> str:
    return " or ".join(
        text
        for text in (
            hours(start.cap_hours) if start.cap_hours is not None else "",
            money(start.cap_amount) if start.cap_amount is not None else "",
        )
        if text
    )


def _invoice(invoice: Invoice) -> str:
    tax = f" ({money(invoice.gross)} with tax)" if invoice.gross != invoice.amount else ""
    credited = f", {money(invoice.credited)} credited" if invoice.credited.amount else ""
    return f"{invoice.number}: {money(invoice.amount)}{tax}{credited}, {invoice_state(invoice)}"


def _gateway(view: View, names: Names, *, confidential: bool) -> _PanelRows:
    sections = [view.gateway, *([view.gateway_confidential] if confidential else [])]
    published = sum(len(section.announced) for section in sections)
    yield "Disconnects", _one(f"{published} published" if published else "none published")
    yield (
        "Waived",
        tuple(
            f"{rule_title(waiver.finding.partition('.')[0])}, by {names.person(waiver.waived_by)}, "
            f"until {short_day(waiver.until)}"
            for section in sections
            for waiver in section.waived.values()
        ),
    )

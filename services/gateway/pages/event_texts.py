"""A sentence for every event, as shown in the timeline.

A sentence names fields of its event in braces; `{field|format}` names a format where the type of
the field does not determine it. A part in brackets is left out while a field in it is empty.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from contracts import delivery, finance, gateway, legal, sales
from contracts.event import Event
from contracts.lines import (
    LineChange,
    LineScopeChange,
    LineTerms,
    PerformanceObligation,
    hours_by_role,
)
from contracts.money import Money
from contracts.purchases import EstimatedPurchase, purchases_by_kind
from contracts.values import Deliverable, EstimateLine, Margin, Signatory
from gateway import formatting
from gateway.pages.names import Names, rule_title

SENTENCES: dict[type[Event], str] = {
    # Sales
    sales.OpportunityOpened: "Opportunity opened with {account|account}: {title}, "
    "expected at {expected_value} by {expected_close}; owner {owner|person}.",
    sales.OpportunityUpdated: "Opportunity updated: {title}, expected at {expected_value} by "
    "{expected_close}; owner {owner|person}[; next: {next_step}].",
    sales.OpportunityImported: "Taken over from {source} ({external_id}): {title}, "
    "{product}[, {value}], {outcome|words}[, opened {opened_on}][, closed {closed_on}].",
    sales.OpportunityQualified: "Opportunity qualified with a score of {score} of 100.",
    sales.OpportunityAdvanced: "Opportunity is {pipeline_stage|words}, {probability}% likely.",
    sales.EstimateRequested: "Estimate requested for {deliverables}"
    "[, wanted by {wanted_finish}]: “{scope_summary}”",
    sales.ProposalDrafted: "Proposal {version} drafted: {price}, {lines|total} sold, "
    "promised from {promised_start} to {promised_finish}, valid until {valid_until}: "
    "{lines|lines}. [No project management in it: “{project_management_waiver}”]",
    sales.ProposalExceptionApproved: "Exception approved for proposal {version} "
    "({grounds|listed}): “{why}”",
    sales.ProposalSubmitted: "Proposal {version} submitted to the customer on {submitted_on}.",
    sales.ProposalRevised: "Proposal {version} withdrawn: “{reason}”",
    sales.DealWon: "Deal won on proposal {proposal_version}: {price}, from {starts_on} to "
    "{finishes_on}, payable within {payment_terms_days} days: {lines|lines}.",
    sales.DealLost: "Deal lost[ to {competitor}]: {reason|words}. [“{comment}”]",
    sales.DealReopened: "Deal lost[ on {lost_on}] is open again since {reopened_on}: “{why}”",
    sales.QuestionAsked: "Sales asks[ {to_department|words}]"
    "[ {to_contact|person}] by {due_on} ({about}): “{text}”",
    sales.QuestionAnswered: "Sales answers[ for {recorded_for|person}]: “{answer}”",
    # Legal
    legal.FileOpened: "File opened: {title}.",
    legal.SowDrafted: "Statement of work {version} drafted: {price}, from {starts_on} to "
    "{finishes_on}, with {deliverables}; {lines|lines}.",
    legal.SowRedlined: "The {by} wants clause {clause} of version {version} changed: “{text}”",
    legal.RedlineResolved: "Redline {redline} {outcome} on {resolved_on}. [“{note}”]",
    legal.SowApproved: "Statement of work {version} approved by all required approvers.",
    legal.SowSentForSignature: "Statement of work {version} sent for signature on {sent_on}.",
    legal.SowSignatureRecorded: "{signatory} signed statement of work {version}.",
    legal.SignatureDeclined: "{person|person}, for the {party}, declined to sign statement of work "
    "{version} on {declined_on}: “{why}”",
    legal.SowSigned: "Statement of work {version} signed by both parties on {signed_on}: "
    "{signatories}.",
    legal.EarlyStartAuthorised: "Early start authorised[ for {cap_hours|hours}]"
    "[ up to {cap_amount}] until {expires_on}: “{reason}”",
    legal.EarlyStartExpired: "Early start expired on {expired_on}; the contract is not signed.",
    legal.AmendmentDrafted: "Amendment {amendment} to change {change} drafted: {price_delta}, "
    "finish {finishes_on}; {changes|changes}. “{scope_delta}”",
    legal.AmendmentSigned: "Amendment {amendment} to change {change} signed on {signed_on}: "
    "{price_delta}, finish {finishes_on}; {changes|changes}.",
    legal.ObligationRecorded: "The {owed_by} owes ({person|person}[, by {due_on}], clause "
    "{clause}): “{text}”",
    legal.ObligationMet: "Obligation {obligation} met on {met_on}.",
    legal.ObligationReopened: "Obligation of the {owed_by} (clause {clause}) is open again, not "
    "met on {met_on}: “{why}”",
    legal.ObligationWithdrawn: "Obligation {obligation} withdrawn on {withdrawn_on}: “{why}”",
    legal.EngagementTerminated: "Contract terminated on {terminated_on} ({reason|words})"
    "[, decided by {decided_by|person}]. [“{comment}”]",
    legal.QuestionAsked: "Legal asks[ {to_department|words}]"
    "[ {to_contact|person}] by {due_on} ({about}): “{text}”",
    legal.QuestionAnswered: "Legal answers[ for {recorded_for|person}]: “{answer}”",
    # Delivery
    delivery.ManagerAssigned: "{manager|person} manages the engagement from {assigned_on}.",
    delivery.TierChosen: "Method: {tier}, where {proposed} was proposed. “{reason}”",
    delivery.EstimateSubmitted: "Estimate {version}: {lines|estimated} and {contingency}% "
    "contingency[, purchases of {purchases|amounts}], {duration_days} days, "
    "{confidence} confidence.",
    delivery.EstimateEndorsed: "{manager|person} endorsed estimate {version}.",
    delivery.SowReviewed: "Delivery {verdict|verdict} statement of work {version}. [“{why}”]",
    delivery.AmendmentReviewed: "Delivery {verdict|verdict} amendment {amendment}. [“{why}”]",
    delivery.ResourceRequested: "{hours|hours} of {role|words} wanted from {starts_on} to "
    "{finishes_on}.",
    delivery.ResourceAllocated: "{person|person} allocated as {role|words} ({commitment}): "
    "{hours|hours} from {starts_on} to {finishes_on}.",
    delivery.ResourceReleased: "{person|person} released on {released_on}.",
    delivery.BrdSubmitted: "Business requirements {version} submitted to the customer.",
    delivery.BrdSignedOff: "Business requirements {version} signed off by {signed_by|person} on "
    "{signed_on}.",
    delivery.PlanDrafted: "Plan {version} drafted from template {template}: {tasks|count} tasks, "
    "{milestones|count} milestones.",
    delivery.PlanBaselined: "Plan {version} baselined on {baselined_on}: {tasks|planned} in "
    "{tasks|count} tasks[; includes change {changes}].",
    delivery.KickoffHeld: "Kickoff held on {held_on} with {attendees|people}.",
    delivery.KickoffWithdrawn: "Kickoff of {held_on} withdrawn on {withdrawn_on}: “{why}”",
    delivery.TimeSubmitted: "{person|person} submitted {hours|hours} as {role|words} for the week "
    "of {week}.",
    delivery.TimeApproved: "{hours|hours} of {person|person} as {role|words} approved for the week "
    "of {week}.",
    delivery.TimeRejected: "Time entry {entry} not approved: “{why}”",
    delivery.ExpenseApproved: "Expense of {amount} by {person|person} on {spent_on} approved: "
    "{description}.",
    delivery.TaskProgressed: "{task|title} is {complete}% done, {remaining_hours|hours} to go.",
    delivery.MilestoneReached: "Milestone {milestone|title} reached on {reached_on}.",
    delivery.MilestoneWithdrawn: "Milestone {milestone|title} of {reached_on} withdrawn on "
    "{withdrawn_on}: “{why}”",
    delivery.DeliverableSubmitted: "{deliverable|title} submitted for acceptance on {submitted_on} "
    "(submission {submission}).",
    delivery.DeliverableAccepted: "{deliverable|title} accepted[ by {accepted_by|person}] on "
    "{accepted_on} ({how|words}).",
    delivery.AcceptanceWithdrawn: "Acceptance of {deliverable|title} on {accepted_on} withdrawn on "
    "{withdrawn_on}: “{why}”",
    delivery.DeliverableRejected: "{deliverable|title} rejected by {rejected_by|person} on "
    "{rejected_on}: “{why}”",
    delivery.RiskRaised: "Risk raised ({impact} impact, {probability}% likely): {title}; owner "
    "{owner|person}. “{response}”, by {due_on}.",
    delivery.RiskUpdated: "Risk judged anew ({impact} impact, {probability}% likely): {title}; "
    "owner {owner|person}, due {due_on}. “{why}”",
    delivery.IssueRaised: "Issue raised ({severity}): {title}; owner {owner|person}, due {due_on}.",
    delivery.IssueUpdated: "Issue judged anew ({severity}): {title}; owner {owner|person}, "
    "due {due_on}. “{why}”",
    delivery.ActionRaised: "Action of {owner|person}, due {due_on}: {title}.",
    delivery.ActionUpdated: "Action changed: {title}; owner {owner|person}, due {due_on}. “{why}”",
    delivery.AssumptionRaised: "Assumed: {title}. {owner|person} checks it by {check_on}.",
    delivery.AssumptionUpdated: "Assumption “{title}” is {validity}; {owner|person} checks it by "
    "{check_on}. “{why}”",
    delivery.DecisionRecorded: "Decided by {decided_by|person} on {decided_on}: {title}. "
    "“{rationale}”",
    delivery.RaidItemClosed: "{item} closed on {closed_on}: “{resolution}”",
    delivery.RaidItemReopened: "{item}, closed on {closed_on}, is open again: “{why}”",
    delivery.RaidItemWithdrawn: "{item} withdrawn on {withdrawn_on}: “{why}”",
    delivery.CustomerInputRequested: "{requested_from|person} is asked for: {description}, by "
    "{due_on}.",
    delivery.CustomerInputReceived: "Input {input} of the customer received on {received_on}.",
    delivery.CustomerInputReopened: "Input {input} of the customer has not come, as recorded for "
    "{received_on}: “{why}”",
    delivery.CustomerInputWithdrawn: "Input {input} of the customer withdrawn on {withdrawn_on}: "
    "“{why}”",
    delivery.CustomerDelayWithdrawn: "Delay {delay} withdrawn on {withdrawn_on}: “{why}”",
    delivery.CustomerDelayRecorded: "The customer caused {days} days of delay: {cause}. "
    "“{evidence}”",
    delivery.StatusReportPublished: "Status report {report}: scope {scope}, schedule {schedule}, "
    "cost {cost}; finish forecast for {forecast_finish}. “{narrative}”",
    delivery.ChangeRequested: "Change {change} requested by {requested_by|person} on "
    "{requested_on}: “{description}”",
    delivery.ChangeAssessed: "Change {change} assessed: {changes|delta}, {days} days on the "
    "finish. “{risk}”",
    delivery.ChangeApproved: "Change {change} approved by {approved_by|person} on {approved_on}.",
    delivery.ChangeRejected: "Change {change} rejected: “{why}”",
    delivery.ChangeImplemented: "Change {change} implemented on {implemented_on}.",
    delivery.SolutionWentLive: "Live since {live_on}.",
    delivery.GoLiveWithdrawn: "Go-live on {live_on} withdrawn on {withdrawn_on}: “{why}”",
    delivery.PirHeld: "Review held on {held_on}: {delivered_hours|hours} delivered of "
    "{sold_hours|hours} sold. [Went well: {went_well}.] [Went badly: {went_badly}.]",
    delivery.SurveySent: "Survey ({kind|words}) about {phase} sent to {contacts|people} on "
    "{sent_on}.",
    delivery.SurveyAnswered: "{answered_by|person} answered survey {survey}[: "
    "{satisfaction|scores}][; would recommend {recommend} of 10]. [“{comment}”]",
    delivery.EngagementPutOnHold: "On hold since {held_on}: “{reason}”",
    delivery.EngagementResumed: "Work resumed on {resumed_on}.",
    delivery.EngagementClosed: "Engagement closed on {closed_on}.",
    delivery.QuestionAsked: "Delivery asks[ {to_department|words}]"
    "[ {to_contact|person}] by {due_on} ({about}): “{text}”",
    delivery.QuestionAnswered: "Delivery answers[ for {recorded_for|person}]: “{answer}”",
    # Finance
    finance.SowReviewed: "Finance {verdict|verdict} statement of work {version}. [“{why}”]",
    finance.EstimatePriced: "Estimate {estimate_version} priced at {price}, "
    "{project_management_share}% of it project management.",
    finance.ProposalReviewed: "Proposal {version} over {price} reviewed: {floor|floor}.",
    finance.AmendmentReviewed: "Finance {verdict|verdict} amendment {amendment}. [“{why}”]",
    finance.ChangePriced: "Change {change} priced at {price}.",
    finance.RevenueMethodChosen: "Revenue of {obligation} will be recognised {method|words}: "
    "“{why}”",
    finance.BudgetSet: "Budget set: {price}, {lines|total}; {obligations|methods}.",
    finance.BudgetAmended: "Budget amended for change {change}: now {price}, {lines|total}; "
    "accounted for as {treatment|words}: “{why}”",
    finance.RevenueRecognised: "{amount} of revenue of {obligation} recognised for {month}, "
    "{cumulative} to date.",
    finance.RevenueByCostRecognised: "{amount} of revenue of {obligation} recognised for {month} "
    "by cost, {cumulative} to date.",
    finance.BillingEventDue: "{amount} may be invoiced ({kind|words}) from {due_on}"
    "[, for {deliverables|titles}]. [Exception: “{exception}”]",
    finance.InvoiceDrafted: "Invoice over {amount} drafted ({kind|words}).",
    finance.InvoiceApproved: "Invoice over {amount} approved, to be issued on {issue_on}.",
    finance.InvoiceIssued: "Invoice {number} over {amount} issued on {issued_on}, due {due_on}.",
    finance.DraftWithdrawn: "Draft {invoice} over {amount} withdrawn: its billing entry "
    "changed or is no longer due.",
    finance.InvoiceVoided: "Invoice {number} over {amount} voided: “{why}”",
    finance.ExpenseConverted: "Expense {expense} converted: {conversion|converted}.",
    legal.EngagementImported: "Contract over {price}, signed on {signed_on}, taken over.",
    delivery.EngagementImported: "Baseline of {baselined_on} and progress to {as_of} taken over: "
    "{complete}% done.",
    finance.EngagementImported: "Balances to {as_of} taken over: {billed} billed, {paid} paid.",
    finance.OpeningCostRecorded: "Cost to {as_of} taken over[: {cost}].",
    finance.WorkHeld: "Work over {worth} on line {line} is held back from billing: “{why}”",
    finance.WorkReleased: "Held work over {worth} on line {line} is released.",
    finance.WorkWrittenDown: "Work over {worth} on line {line} is written down: “{why}”",
    finance.CreditNoteIssued: "Credit note {number} over {amount} issued on {issued_on}: “{why}”",
    finance.PaymentReceived: "{amount} received on {received_on}.",
    finance.RefundPaid: "{amount} paid back on {paid_on}.",
    finance.PaymentOverdue: "{outstanding} overdue since {due_on}.",
    finance.AccountSettled: "Account settled on {settled_on}: {billed} billed, {paid} paid.",
    finance.AccountReopened: "The account settled on {settled_on} is open again: {unbilled} "
    "of approved work can be billed.",
    finance.EstimateCosted: "Estimate {estimate_version} would cost {cost}[, a margin of "
    "{margin|ratio}].",
    finance.ChangeCosted: "Change {change} would cost {cost}[, a margin of {margin|ratio}].",
    finance.BudgetCosted: "Budgeted cost {cost}; sold at a margin of {margin_sold}.",
    finance.CostAccrued: "{cost} of cost accrued[ for {hours|hours}][ ({conversion|conversion})], "
    "{cumulative} to date.",
    finance.PerformanceMeasured: "Performance at {as_of}: planned {planned_value}, earned "
    "{earned_value}, spent {actual_cost}[; CPI {cost_performance_index|index}]"
    "[, SPI {schedule_performance_index|index}].",
    finance.MarginMeasured: "Margin at {as_of}[: sold {margin_sold}][; billed {margin_billed}]"
    "[; recognised {margin_recognised}][; forecast {margin_forecast}].",
    finance.QuestionAsked: "Finance asks[ {to_department|words}]"
    "[ {to_contact|person}] by {due_on} ({about}): “{text}”",
    finance.QuestionAnswered: "Finance answers[ for {recorded_for|person}]: “{answer}”",
    # Gateway
    gateway.DisconnectDetected: "Disconnect detected: {sentence}",
    gateway.DisconnectResolved: "Disconnect resolved: {rule|rule}.",
    gateway.DisconnectWaived: "{waived_by|person} waived “{rule|rule}”: “{why}”",
    gateway.ConfidentialDisconnectDetected: "Disconnect detected: {sentence}",
    gateway.ConfidentialDisconnectResolved: "Disconnect resolved: {rule|rule}.",
    gateway.ConfidentialDisconnectWaived: "{waived_by|person} waived “{rule|rule}”: “{why}”",
}

_FIELD = re.compile(r"\{(\w+)(?:\|(\w+))?\}")
_OPTIONAL = re.compile(r"\[([^\[\]]*)\]")
_SPACES = re.compile(r" {2,}")


def fields(sentence: str) -> set[str]:
    """Return the names of the fields in a sentence."""
    return {found[1] for found in _FIELD.finditer(sentence)}


def event_text(event: Event, names: Names) -> str:
    """Return the event as a sentence, or the name of its type where it has none."""
    sentence = SENTENCES.get(type(event))
    if sentence is None:
        name = event.type.split(".")[2] if event.type.count(".") > 2 else type(event).__name__
        return f"{formatting.sentence_case(formatting.words(name))}."
    # Each part is filled once, so that braces and brackets in a text of the event stay as they are.
    parts: list[str] = []
    end = 0
    for optional in _OPTIONAL.finditer(sentence):
        parts.append(_filled(sentence[end : optional.start()], event, names))
        if all(_is_given(getattr(event, field)) for field in fields(optional[1])):
            parts.append(_filled(optional[1], event, names))
        end = optional.end()
    parts.append(_filled(sentence[end:], event, names))
    return _SPACES.sub(" ", formatting.sentence_case("".join(parts))).strip()


def _filled(part: str, event: Event, names: Names) -> str:
    return _FIELD.sub(lambda found: _written(getattr(event, found[1]), found[2], names), part)


def _is_given(value: object) -> bool:
    if isinstance(value, Margin):
        return value.margin is not None
    return value is not None and value not in ("", (), {})


def _total(lines: Iterable[LineTerms], _: Names) -> str:
    return formatting.hours(sum(hours_by_role(lines).values(), Decimal(0)))


def _of_estimate(lines: Iterable[EstimateLine], _: Names) -> str:
    return formatting.hours(sum((line.hours for line in lines), Decimal(0)))


def _amounts(purchases: Iterable[EstimatedPurchase], _: Names) -> str:
    totals = purchases_by_kind(purchases)
    return formatting.listed(
        f"{formatting.money(amount)} for {formatting.words(kind)}"
        for kind, amount in totals.items()
    )


def _delta(changes: Iterable[LineScopeChange], _: Names) -> str:
    return formatting.hours(sum((change.hours_delta for change in changes), Decimal(0)))


_SHOWN_LINES = 5


def _lines(lines: Sequence[LineTerms], _: Names) -> str:
    """Return the first lines with price and pricing, and the number of the others."""
    shown = [
        f"{line.title} {formatting.money(line.price)} ({formatting.words(line.pricing)})"
        for line in lines[:_SHOWN_LINES]
    ]
    more = len(lines) - len(shown)
    return formatting.listed([*shown, f"{more} more"] if more else shown)


def _changes(changes: Sequence[LineChange], names: Names) -> str:
    """Return the first changes with price, hours and deliverables, and the number of the others."""
    shown = []
    for change in changes[:_SHOWN_LINES]:
        title = change.new.title if change.new else names.title(change.line)
        parts = [f"{title} by {formatting.money(change.price_delta)}"]
        if change.hours:
            parts.append(formatting.hours(change.hours_delta))
        if change.deliverables_added:
            added = (each.title for each in change.deliverables_added)
            parts.append(f"with {formatting.listed(added)}")
        if change.deliverables_removed:
            removed = (names.title(each) for each in change.deliverables_removed)
            parts.append(f"without {formatting.listed(removed)}")
        shown.append(", ".join(parts))
    more = len(changes) - len(shown)
    return "; ".join([*shown, f"{more} more"] if more else shown)


def _methods(obligations: Iterable[PerformanceObligation], _: Names) -> str:
    return formatting.listed(
        f"revenue of {each.obligation} recognised {formatting.words(each.method)}"
        for each in obligations
    )


def _planned(tasks: Iterable[Any], _: Names) -> str:
    planned = (line.hours for task in tasks for line in task.hours)
    return formatting.hours(sum(planned, Decimal(0)))


_FORMATS: dict[str, Callable[[Any, Names], str]] = {
    "account": lambda value, names: names.account(value),
    "person": lambda value, names: names.person(value),
    "people": lambda value, names: formatting.listed(names.person(each) for each in value),
    "title": lambda value, names: names.title(value),
    "titles": lambda value, names: formatting.listed(names.title(each) for each in value),
    "words": lambda value, _: formatting.words(value),
    "verdict": lambda value, _: "approved" if value == "approved" else "objected to",
    "rule": lambda value, _: rule_title(value),
    "hours": lambda value, _: formatting.hours(value),
    "floor": lambda value, _: (
        "the margin is not known" if value == "unknown" else f"{value} the minimum margin"
    ),
    "listed": lambda value, _: formatting.listed(formatting.words(each) for each in value),
    "total": _total,
    "estimated": _of_estimate,
    "amounts": _amounts,
    "delta": _delta,
    "changes": _changes,
    "lines": _lines,
    "methods": _methods,
    "planned": _planned,
    "count": lambda value, _: formatting.number(len(value)),
    "ratio": lambda value, _: formatting.percent(value),
    "index": lambda value, _: formatting.ratio(value),
    "conversion": lambda value, _: (
        f"{formatting.money(value.amount)} at the rate {value.exchange_rate}"
    ),
    "converted": lambda value, _: (
        f"{formatting.money(value.amount)} are {formatting.money(value.converted)}"
        f" at the rate {value.exchange_rate}"
    ),
    "scores": lambda value, _: formatting.listed(
        f"{formatting.words(question)} {score} of 5" for question, score in value.items()
    ),
}


def _written(value: Any, name: str | None, names: Names) -> str:
    if name is not None:
        return _FORMATS[name](value, names)
    match value:
        case None:
            return formatting.UNKNOWN
        case Money():
            return formatting.money(value)
        case Margin():
            return formatting.percent(value.margin)
        case Signatory():
            return f"{names.person(value.person)} ({value.party})"
        case Deliverable():
            return value.title
        case datetime():
            return formatting.moment(value)
        case date():
            return formatting.day(value)
        case Decimal() | int():
            return formatting.number(value)
        case tuple():
            return formatting.listed(_written(each, None, names) for each in value)
        case _:
            return str(value)

"""Sales' section of the view."""

from dataclasses import dataclass, field
from datetime import date

from contracts import sales
from contracts.counting import counted
from contracts.decimals import Number
from contracts.event import Recorded
from contracts.lines import ContractLine, ProposedLine
from contracts.money import Money
from gateway.formatting import day, listed, money, number, words
from gateway.view.sections.sentences import answer, first_lines, if_given, question, total_hours
from gateway.view.sections.steps import (
    Kept,
    Ref,
    Steps,
    each_by,
    line_hours,
    newest,
    newest_ref,
    ref,
    titles,
    unbilled,
)


@dataclass(slots=True)
class Proposal:
    """A version of the proposal; hours and price are those of the lines that are not optional.

    `project_management_hours` are part of `hours`.
    """

    version: int
    estimate_version: int
    deliverables: dict[str, str]
    lines: list[ProposedLine]
    hours: Number
    project_management_hours: Number
    project_management_waiver: str | None
    price: Money
    promised_start: date
    promised_finish: date
    valid_until: date
    said: Ref
    submitted_on: date | None = None
    submitted: Ref | None = None
    revised: bool = False


@dataclass(frozen=True, slots=True)
class Won:
    """The deal as the customer accepted it, with titles of deliverables."""

    company: str
    proposal_version: int
    price: Money
    lines: list[ContractLine]
    deliverables: dict[str, str]
    starts_on: date
    finishes_on: date
    won_on: date


def _won(event: sales.DealWon) -> Won:
    return Won(
        company=event.company,
        proposal_version=event.proposal_version,
        price=event.price,
        lines=unbilled(event.lines),
        deliverables=titles(event.deliverables),
        starts_on=event.starts_on,
        finishes_on=event.finishes_on,
        won_on=event.won_on,
    )


@dataclass(slots=True)
class SalesSection:
    """The engagement as Sales published it."""

    questions: dict[str, Kept[sales.QuestionAsked]] = each_by(
        sales.QuestionAsked, lambda event: event.question
    )
    answers: dict[str, Kept[sales.QuestionAnswered]] = each_by(
        sales.QuestionAnswered, lambda event: event.question
    )
    account: str | None = None
    title: str | None = None
    owner: str | None = None
    contacts: list[str] = field(default_factory=list)
    expected_value: Money | None = None
    expected_close: date | None = None
    next_step: str | None = None
    region: str | None = None
    kind_of_work: str | None = None
    opened_on: date | None = None
    pipeline_stage: str | None = None
    probability: Number | None = None
    score: Number | None = None
    imported_from: str | None = None
    imported_outcome: str | None = None
    imported_closed_on: date | None = None
    imported_loss: str | None = None
    import_updated: Kept[sales.OpportunityImportUpdated] | None = newest(
        sales.OpportunityImportUpdated
    )
    opened: Ref | None = newest_ref(sales.OpportunityOpened, sales.OpportunityImported)
    estimate_requested: Ref | None = newest_ref(sales.EstimateRequested)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    exceptions: dict[int, Kept[sales.ProposalExceptionApproved]] = each_by(
        sales.ProposalExceptionApproved, lambda event: event.version
    )
    won: Kept[Won] | None = newest(sales.DealWon, kept=_won)
    contract_confirmed: Kept[sales.ContractConfirmed] | None = newest(sales.ContractConfirmed)
    lost: Kept[sales.DealLost] | None = newest(sales.DealLost, until=(sales.DealReopened,))

    @property
    def latest_proposal(self) -> Proposal | None:
        """The newest version, withdrawn or not."""
        return self.proposals[max(self.proposals)] if self.proposals else None

    @property
    def lost_on(self) -> date | None:
        """The day on which the deal was lost, in an import the day that the CRM had, or None."""
        if self.lost is not None:
            return self.lost.event.lost_on
        return self.imported_closed_on if self.imported_outcome == "lost" else None

    @property
    def won_on(self) -> date | None:
        """The day on which the deal was won, in an import the day that the CRM had, or None."""
        if self.won is not None:
            return self.won.event.won_on
        return self.imported_closed_on if self.imported_outcome == "won" else None

    @property
    def is_lost(self) -> bool:
        """True if the deal was lost, here or before it was imported."""
        return self.lost is not None or self.imported_outcome == "lost"


steps = Steps(SalesSection)


steps.describe(
    sales.OpportunityOpened,
    lambda event, names: (
        f"Opportunity opened with {names.account(event.account)}: {event.title}, expected at "
        f"{money(event.expected_value)} by {day(event.expected_close)}; owner "
        f"{names.person(event.owner)}."
    ),
)


@steps.on(sales.OpportunityOpened)
def _opened(section: SalesSection, recorded: Recorded[sales.OpportunityOpened]) -> None:
    _detailed(section, recorded.event)
    # An opportunity that was imported as open and is adopted keeps its pipeline stage, and rules
    # are evaluated from here on.
    section.pipeline_stage = section.pipeline_stage or "prospecting"
    section.opened_on = section.opened_on or recorded.occurred_at.date()
    section.imported_outcome = None


steps.describe(
    sales.OpportunityUpdated,
    lambda event, names: (
        f"Opportunity updated: {event.title}, expected at {money(event.expected_value)} by "
        f"{day(event.expected_close)}; owner {names.person(event.owner)}"
        f"{if_given('; next: {}', event.next_step)}."
    ),
)


@steps.on(sales.OpportunityUpdated)
def _updated(section: SalesSection, recorded: Recorded[sales.OpportunityUpdated]) -> None:
    _detailed(section, recorded.event)


def _detailed(
    section: SalesSection, event: sales.OpportunityOpened | sales.OpportunityUpdated
) -> None:
    section.account, section.title, section.owner = event.account, event.title, event.owner
    section.contacts = list(event.contacts)
    section.expected_value, section.expected_close = event.expected_value, event.expected_close
    section.next_step, section.region = event.next_step, event.region
    section.kind_of_work = event.kind_of_work


steps.describe(
    sales.OpportunityImported,
    lambda event, _: (
        f"Taken over from {event.source} ({event.external_id}): {event.title}"
        f"{if_given(', {}', event.product)}{if_given(', {}', event.value, money)}, "
        f"{words(event.outcome)}{if_given(', opened {}', event.opened_on, day)}"
        f"{if_given(', closed {}', event.closed_on, day)}"
        f"{if_given(', expected by {}', event.expected_close, day)}"
        f"{if_given(': “{}”', event.loss_reason_text)}."
    ),
)


@steps.on(sales.OpportunityImported)
def _imported(section: SalesSection, recorded: Recorded[sales.OpportunityImported]) -> None:
    event = recorded.event
    section.pipeline_stage, section.probability = event.pipeline_stage, event.probability
    section.imported_outcome = event.outcome
    _in_crm(section, event)


steps.describe(
    sales.OpportunityImportUpdated,
    lambda event, _: (
        f"Changed in {event.source}: {listed(map(words, event.changed))}; there it is "
        f"{words(event.outcome)}{if_given(' since {}', event.closed_on, day)}"
        f"{if_given(', {}', event.value, money)}{if_given(': “{}”', event.loss_reason_text)}."
        f"{'' if event.applied else ' The engagement goes on as it was decided here.'}"
    ),
)


@steps.on(sales.OpportunityImportUpdated)
def _import_updated(
    section: SalesSection, recorded: Recorded[sales.OpportunityImportUpdated]
) -> None:
    event = recorded.event
    if not event.applied:
        return
    if event.outcome == "won":
        section.pipeline_stage = event.pipeline_stage
    elif "pipeline_stage" in event.changed:
        # A loss may be taken back: the deal is at the stage before it then, as in Sales.
        section.pipeline_stage = event.pipeline_stage or section.pipeline_stage
    if "probability" in event.changed:
        section.probability = event.probability
    if "outcome" in event.changed:
        section.imported_outcome = event.outcome
    _in_crm(section, event)


def _in_crm(section: SalesSection, event: sales.ImportedOpportunity) -> None:
    section.account, section.title, section.owner = event.account, event.title, event.owner
    section.expected_value, section.expected_close = event.value, event.expected_close
    section.region, section.imported_from = event.region, event.source
    section.opened_on, section.imported_closed_on = event.opened_on, event.closed_on
    section.imported_loss = event.loss_reason or event.loss_reason_text


steps.describe(
    sales.OpportunityQualified,
    lambda event, _: f"Opportunity qualified with a score of {number(event.score)} of 100.",
)


@steps.on(sales.OpportunityQualified)
def _qualified(section: SalesSection, recorded: Recorded[sales.OpportunityQualified]) -> None:
    section.score = recorded.event.score
    if section.pipeline_stage in {None, "prospecting"}:
        section.pipeline_stage = "qualifying"


steps.describe(
    sales.OpportunityAdvanced,
    lambda event, _: (
        f"Opportunity is {words(event.pipeline_stage)}, {number(event.probability)}% likely."
    ),
)


@steps.on(sales.OpportunityAdvanced)
def _advanced(section: SalesSection, recorded: Recorded[sales.OpportunityAdvanced]) -> None:
    section.pipeline_stage = recorded.event.pipeline_stage
    section.probability = recorded.event.probability


steps.describe(
    sales.EstimateRequested,
    lambda event, _: (
        f"Estimate requested for {listed(each.title for each in event.deliverables)}"
        f"{if_given(', wanted by {}', event.wanted_finish, day)}: “{event.scope_summary}”"
    ),
)
steps.describe(
    sales.ProposalDrafted,
    lambda event, _: (
        f"Proposal {event.version} drafted: {money(event.price)}, {total_hours(event.lines)} sold, "
        f"promised from {day(event.promised_start)} to {day(event.promised_finish)}, valid until "
        f"{day(event.valid_until)}: {first_lines(event.lines)}."
        f"{if_given(' No project management in it: “{}”', event.project_management_waiver)}"
    ),
)


@steps.on(sales.ProposalDrafted)
def _drafted(section: SalesSection, recorded: Recorded[sales.ProposalDrafted]) -> None:
    event = recorded.event
    required = [line for line in event.lines if not line.optional]
    section.proposals[event.version] = Proposal(
        version=event.version,
        estimate_version=event.estimate_version,
        deliverables=titles(event.deliverables),
        lines=unbilled(event.lines),
        hours=line_hours(required),
        project_management_hours=line_hours(required, "project-management"),
        project_management_waiver=event.project_management_waiver,
        price=event.price,
        promised_start=event.promised_start,
        promised_finish=event.promised_finish,
        valid_until=event.valid_until,
        said=ref(recorded),
    )


steps.describe(
    sales.ProposalExceptionApproved,
    lambda event, _: (
        f"Exception approved for proposal {event.version} ({listed(map(words, event.grounds))}): "
        f"“{event.why}”"
    ),
)
steps.describe(
    sales.ProposalSubmitted,
    lambda event, _: (
        f"Proposal {event.version} submitted to the customer on {day(event.submitted_on)}."
    ),
)


@steps.on(sales.ProposalSubmitted)
def _submitted(section: SalesSection, recorded: Recorded[sales.ProposalSubmitted]) -> None:
    proposal = section.proposals.get(recorded.event.version)
    if proposal is not None:
        proposal.submitted_on, proposal.submitted = recorded.event.submitted_on, ref(recorded)


steps.describe(
    sales.ProposalRevised,
    lambda event, _: f"Proposal {event.version} withdrawn: “{event.reason}”",
)


@steps.on(sales.ProposalRevised)
def _revised(section: SalesSection, recorded: Recorded[sales.ProposalRevised]) -> None:
    proposal = section.proposals.get(recorded.event.version)
    if proposal is not None:
        proposal.revised = True


steps.describe(
    sales.DealWon,
    lambda event, _: (
        f"Deal won on proposal {event.proposal_version}: {money(event.price)}, from "
        f"{day(event.starts_on)} to {day(event.finishes_on)}, payable within "
        f"{counted(event.payment_terms_days, 'day')}: {first_lines(event.lines)}."
    ),
)
steps.describe(
    sales.ContractConfirmed,
    lambda event, _: f"The signed contract is confirmed as what was sold: “{event.reason}”",
)
steps.describe(
    sales.DealLost,
    lambda event, _: (
        f"Deal lost{if_given(' to {}', event.competitor)}: {words(event.reason)}."
        f"{if_given(' “{}”', event.comment)}"
    ),
)
steps.describe(
    sales.DealReopened,
    lambda event, _: (
        f"Deal lost{if_given(' on {}', event.lost_on, day)} is open again since "
        f"{day(event.reopened_on)}: “{event.why}”"
    ),
)


@steps.on(sales.DealReopened)
def _reopened(section: SalesSection, recorded: Recorded[sales.DealReopened]) -> None:
    del recorded
    if section.imported_outcome == "lost":
        section.imported_outcome = "open"


steps.describe(sales.QuestionAsked, question("Sales"))
steps.describe(sales.QuestionAnswered, answer("Sales"))

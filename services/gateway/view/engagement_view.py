"""The view of one engagement across all departments, and how an event changes it.

Each section is computed from the events of one channel only, so topics may arrive interleaved in
any way. A view is causally complete when it contains every event that the authors of its events had
processed (`heard`); rules are evaluated only then. Its open part is complete by itself: events of
open channels name open channels only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from chassis.domain.latest_ids import with_latest
from contracts.channels import CHANNELS, is_open
from contracts.event import Event, Recorded
from contracts.money import Money
from contracts.questions import AskedQuestion
from contracts.values import Month
from contracts.vocabularies import HEARD
from gateway.formatting import sentence_case
from gateway.redaction import NOBODY, Reader, adapter_of_store
from gateway.view.sections.delivery.section import DeliverySection
from gateway.view.sections.delivery.section import steps as delivery_steps
from gateway.view.sections.finance.confidential import ConfidentialSection
from gateway.view.sections.finance.confidential import steps as finance_confidential_steps
from gateway.view.sections.finance.section import FinanceSection
from gateway.view.sections.finance.section import steps as finance_steps
from gateway.view.sections.gateway import GatewaySection, Waiver
from gateway.view.sections.gateway import confidential_steps as gateway_confidential_steps
from gateway.view.sections.gateway import steps as gateway_steps
from gateway.view.sections.legal import LegalSection
from gateway.view.sections.legal import steps as legal_steps
from gateway.view.sections.sales import Proposal, SalesSection
from gateway.view.sections.sales import steps as sales_steps
from gateway.view.sections.sentences import Names
from gateway.view.sections.steps import STEPS, AnyStep, Personal, Steps, section

_IMPORTING = ("legal", "delivery", "finance")
"""Sections of the departments that take over an engagement under way, beside Sales."""

Stage = str
STAGES: tuple[Stage, ...] = (
    "opportunity",
    "proposal",
    "contracting",
    "mobilising",
    "delivering",
    "closing",
    "closed",
    "lost",
    "terminated",
)
OVER: tuple[Stage, ...] = ("closed", "lost", "terminated")
"""Stages in which an engagement has ended."""

PROJECTED_CHANNELS = frozenset(
    name for name, channel in CHANNELS.items() if channel.kind == "events"
)
"""Names of the channels whose events the view is computed from."""


@dataclass(slots=True)
class Freshness:
    """The last event of a channel in the view, and when it occurred and was recorded (UTC)."""

    streamsequence: int
    occurred_at: datetime
    recorded_at: datetime


@dataclass(slots=True)
class View:
    """One engagement, computed from the events of all departments that have arrived."""

    engagement: str
    sales: SalesSection = section(sales_steps)
    legal: LegalSection = section(legal_steps)
    delivery: DeliverySection = section(delivery_steps)
    finance: FinanceSection = section(finance_steps)
    confidential: ConfidentialSection = section(finance_confidential_steps)
    gateway: GatewaySection = section(gateway_steps)
    gateway_confidential: GatewaySection = section(gateway_confidential_steps)
    freshness: dict[str, Freshness] = field(default_factory=dict)
    latest_ids: dict[str, tuple[str, ...]] = field(default_factory=dict)
    needed: dict[str, int] = field(default_factory=dict)
    """The last sequence that an author of an open event had processed, by open channel."""
    needed_in_confidence: dict[str, int] = field(default_factory=dict)
    """The last sequence that an author of a confidential event had processed, by channel."""

    def position(self) -> dict[str, int]:
        """Return the sequence of the last event in the view, by channel."""
        return {channel: fresh.streamsequence for channel, fresh in self.freshness.items()}

    def open_freshness(self) -> list[Freshness]:
        """Return the last event of each channel that is not confidential."""
        return [fresh for name, fresh in self.freshness.items() if is_open(name)]

    @property
    def open_part_complete(self) -> bool:
        """True if the view contains every event that its open events' authors had processed."""
        return self._contains(self.needed)

    @property
    def causally_complete(self) -> bool:
        """True if the view contains every event that its events' authors had processed."""
        return self.open_part_complete and self._contains(self.needed_in_confidence)

    def _contains(self, needed: Mapping[str, int]) -> bool:
        freshness = self.freshness
        for channel, sequence in needed.items():
            fresh = freshness.get(channel)
            if fresh is None or fresh.streamsequence < sequence:
                return False
        return True

    def missing(self, *, confidential: bool) -> dict[str, int]:
        """Return by channel the last sequence that an author had processed and the view has not.

        For a reader who may not see confidential events, they do not count as authors' either.
        """
        needed = dict(self.needed)
        if confidential:
            for name, number in self.needed_in_confidence.items():
                needed[name] = max(number, needed.get(name, 0))
        position = self.position()
        return {name: number for name, number in needed.items() if position.get(name, 0) < number}

    @property
    def currency(self) -> str | None:
        """The engagement's currency, that of its price."""
        price = self.price
        return price.currency if price is not None else None

    @property
    def company(self) -> str | None:
        """The company that sells, from the contract that Legal took over, or else the deal."""
        known = self.legal.imported or self.sales.won
        return known.event.company if known is not None else None

    @property
    def is_sold(self) -> bool:
        """True if the deal is won, or a department took the engagement over."""
        return self.sales.won is not None or self.taken_over

    @property
    def agreed_price(self) -> Money | None:
        """The price in the contract with signed amendments, else that of the deal, or None.

        In an engagement whose contract Legal has not taken over yet, it is that of Finance.
        """
        contract = self.legal.contract_price
        if contract is not None:
            return contract
        if self.finance.imported is not None:
            return self.finance.imported.event.price
        return self.sales.won.event.price if self.sales.won is not None else None

    @property
    def price(self) -> Money | None:
        """The agreed price, else that of the latest proposal, else the expected value."""
        if self.agreed_price is not None:
            return self.agreed_price
        proposal = self.sales.latest_proposal
        return proposal.price if proposal is not None else self.sales.expected_value

    @property
    def won_proposal(self) -> Proposal | None:
        """The version of the proposal that the customer accepted."""
        won = self.sales.won
        return self.sales.proposals.get(won.event.proposal_version) if won is not None else None

    @property
    def recognised(self) -> Money | None:
        """The revenue recognised to date by all methods (confidential), or None."""
        parts = [
            each
            for each in (self.finance.recognised, self.confidential.recognised)
            if each is not None
        ]
        return Money.total(parts, parts[0].currency) if parts else None

    @property
    def recognised_to(self) -> Month | None:
        """The month to which all revenue is recognised (confidential).

        None while obligations are at different months, or one by cost has no revenue.
        """
        by_cost = self.confidential.recognised_to
        months = {each.event for each in (*self.finance.recognised_to.values(), *by_cost.values())}
        obligations = self.finance.budget.obligations if self.finance.budget else ()
        waits = any(
            each.method == "cost-to-cost" and each.obligation not in by_cost for each in obligations
        )
        return months.pop() if len(months) == 1 and not waits else None

    @property
    def recognised_before(self) -> Money | None:
        """The revenue recognised before the take-over (confidential); None where unknown in part.

        A discount without a revenue of its own is contained in that of other lines.
        """
        balances, cost = self.finance.imported, self.confidential.imported
        if balances is None:
            return None
        by_cost = {each.line: each.recognised for each in cost.event.lines} if cost else {}
        known = [
            by_cost.get(each.line, each.recognised)
            for each in balances.event.lines
            if each.price.amount >= 0 or each.line in by_cost or each.recognised is not None
        ]
        amounts = [each for each in known if each is not None]
        if len(amounts) < len(known):
            return None
        return Money.total(amounts, balances.event.price.currency)

    @property
    def cost_unknown(self) -> int:
        """The approved works without a known cost, which no cost contains (confidential)."""
        return max(self.delivery.approved_works - self.confidential.costed_works, 0)

    @property
    def taken_over(self) -> bool:
        """True if a department took over what happened before the platform was introduced."""
        return any(getattr(self, name).imported is not None for name in _IMPORTING)

    @property
    def is_history(self) -> bool:
        """True if all that is known is what a CRM had: no one adopted the deal or took it over."""
        return self.sales.imported_outcome is not None and not self.taken_over

    @property
    def import_lacks(self) -> list[str]:
        """The departments that have not taken over their part of an engagement under way.

        Delivery has nothing to take over any more once it has baselined a plan.
        """
        lacks = [name for name in _IMPORTING if getattr(self, name).imported is None]
        if self.delivery.baseline is not None and "delivery" in lacks:
            lacks.remove("delivery")
        return lacks

    @property
    def stage(self) -> Stage:
        """The stage of the engagement, one of `STAGES`.

        A deal that was won before it was imported counts as closed, unless a department took the
        engagement over. Where nothing is sold, work that has begun reaches no further stage.
        """
        imported_as_won = self.sales.imported_outcome == "won"
        if self.delivery.closed is not None or (imported_as_won and not self.taken_over):
            return "closed"
        if self.legal.terminated is not None:
            return "terminated"
        if self.sales.is_lost:
            return "lost"
        if not self.is_sold:
            return "proposal" if self.sales.proposals else "opportunity"
        if self.delivery.live is not None:
            return "closing"
        if self.delivery.kickoff is not None and self.delivery.baseline is not None:
            return "delivering"
        if self.taken_over:
            return "mobilising" if "delivery" in self.import_lacks else "delivering"
        if self.legal.signed is not None or self.delivery.kickoff is not None:
            return "mobilising"
        return "contracting"

    def open_questions(self) -> list[tuple[str, AskedQuestion]]:
        """Return the questions without an answer, and the department that each waits for.

        For the answer of a contact, it is the department that asked.
        """
        asked: dict[str, list[AskedQuestion]] = {
            "sales": [kept.event for kept in self.sales.questions.values()],
            "legal": [kept.event for kept in self.legal.questions.values()],
            "delivery": [kept.event for kept in self.delivery.questions.values()],
            "finance": [kept.event for kept in self.finance.questions.values()],
        }
        answered = {
            *self.sales.answers,
            *self.legal.answers,
            *self.delivery.answers,
            *self.finance.answers,
        }
        return [
            (question.to_department or department, question)
            for department, questions in asked.items()
            for question in questions
            if question.question not in answered
        ]

    @property
    def waivers(self) -> dict[str, Waiver]:
        """The waivers by disconnect, also those that have run out since."""
        return self.gateway.waived | self.gateway_confidential.waived

    @property
    def over(self) -> bool:
        """True if the engagement has ended."""
        return self.stage in OVER

    @property
    def on_hold(self) -> bool:
        """True if the work is on hold; an engagement that has ended is not."""
        return self.delivery.held is not None and not self.over


SECTIONS: Mapping[str, Steps[Any]] = {
    each.name: each.metadata[STEPS] for each in fields(View) if STEPS in each.metadata
}
"""The steps of each section, by the name of its field in a view."""


def steps_by_type(
    sections: Mapping[str, Steps[Any]],
) -> dict[type[Event], tuple[str, AnyStep]]:
    """Return by type of event the name of the section that it changes, and the step.

    Raises TypeError where two sections have a step for the same type.
    """
    found: dict[type[Event], tuple[str, AnyStep]] = {}
    for name, steps in sections.items():
        for kind, step in steps.by_type():
            if kind in found:
                raise TypeError(f"{name} and {found[kind][0]} have steps for {kind.__qualname__}")
            found[kind] = name, step
    return found


_STEPS = steps_by_type(SECTIONS)
_SENTENCES = {
    kind: sentence for steps in SECTIONS.values() for kind, sentence in steps.sentences.items()
}
PERSONAL: Mapping[type[Event], Personal] = {
    kind: personal for steps in SECTIONS.values() for kind, personal in steps.personal.items()
}
"""Events with details of people's time and expenses, and what every reader sees of them."""


def is_projected(kind: type[Event]) -> bool:
    """Return whether a section of the view keeps or applies events of a type, or ignores it."""
    return kind in _STEPS or any(kind in steps.ignored for steps in SECTIONS.values())


def is_described(kind: type[Event]) -> bool:
    """Return whether a section of the view has a sentence for events of a type."""
    return kind in _SENTENCES


def withheld_from(reader: Reader, event: Event) -> Personal | None:
    """Return what a reader sees of an event in place of the whole; None where they see it all."""
    personal = PERSONAL.get(type(event))
    if personal is None or reader.sees_details_of(getattr(event, "person", None)):
        return None
    return personal


def data_of(event: Event, reader: Reader) -> dict[str, Any]:
    """Return the data of an event as far as a reader may see them."""
    personal = withheld_from(reader, event) or Personal()
    return event.model_dump(mode="json", include=personal.shown, exclude=personal.hidden)


def sentence_of(event: Event, names: Names, reader: Reader = NOBODY) -> str:
    """Return the sentence that describes an event to a reader.

    Raises KeyError where no section has one.
    """
    personal = withheld_from(reader, event)
    of_others = personal.sentence if personal else None
    return sentence_case((of_others or _SENTENCES[type(event)])(event, names))


def apply_event(view: View, recorded: Recorded[Event]) -> None:
    """Apply one event to the view, in place.

    The caller passes the events of each channel in order, each once.
    """
    event = recorded.event
    channel = event.channel.name
    fresh = view.freshness.get(channel)
    last = 0 if fresh is None else fresh.streamsequence
    view.latest_ids[channel] = with_latest(view.latest_ids.get(channel, ()), last, recorded)
    view.freshness[channel] = Freshness(
        recorded.sequence, recorded.occurred_at, recorded.recorded_at
    )
    needed = view.needed_in_confidence if event.channel.confidential else view.needed
    for name, sequence in recorded.heard.items():
        if needed.get(name, 0) < sequence and name in PROJECTED_CHANNELS:
            needed[name] = sequence
    step = _STEPS.get(type(event))
    if step is not None:
        step[1](getattr(view, step[0]), recorded)


def pass_over(view: View, channel: str, sequence: int) -> None:
    """Treat the events of a channel up to a sequence as applied, because a person decided so."""
    fresh = view.freshness.get(channel)
    epoch = datetime.fromtimestamp(0, UTC)
    if fresh is None:
        view.freshness[channel] = Freshness(sequence, epoch, epoch)
    elif fresh.streamsequence < sequence:
        fresh.streamsequence = sequence
        view.latest_ids.pop(channel, None)


_VIEW = adapter_of_store(View)


def dump(view: View) -> bytes:
    """Return the view as JSON: the same bytes for the same events, however they interleaved."""
    view.freshness = dict(sorted(view.freshness.items()))
    view.latest_ids = dict(sorted(view.latest_ids.items()))
    view.needed = dict(sorted(view.needed.items()))
    view.needed_in_confidence = dict(sorted(view.needed_in_confidence.items()))
    return _VIEW.dump_json(view)


def load(document: bytes | str) -> View:
    """Read a view that `dump` wrote; raises pydantic.ValidationError."""
    return _VIEW.validate_json(document, context=HEARD)

"""Legal's section of the view."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from contracts import legal
from contracts.event import Recorded
from contracts.lines import ContractLine, LineChange, changed_lines, total_price
from contracts.money import Money
from contracts.values import Party, Signatory
from gateway.formatting import day, hours, listed, money, words
from gateway.view.sections.sentences import (
    Names,
    answer,
    first_changes,
    first_lines,
    if_given,
    question,
)
from gateway.view.sections.steps import (
    Kept,
    Ref,
    Steps,
    each_by,
    each_with_day,
    every,
    newest,
    newest_ref,
    ref,
    titles,
    with_kept_billing,
)


@dataclass(frozen=True, slots=True)
class Sow:
    """A version of the statement of work, with the titles of deliverables."""

    version: int
    content_hash: str
    price: Money
    lines: list[ContractLine]
    deliverables: dict[str, str]
    starts_on: date
    finishes_on: date
    effective_on: date
    cost_of_delay_per_day: Money | None


def _sow(event: legal.SowDrafted) -> Sow:
    return Sow(
        version=event.version,
        content_hash=event.content_hash,
        price=event.price,
        lines=with_kept_billing(event.lines),
        deliverables=titles(event.deliverables),
        starts_on=event.starts_on,
        finishes_on=event.finishes_on,
        effective_on=event.effective_on,
        cost_of_delay_per_day=event.cost_of_delay_per_day,
    )


@dataclass(frozen=True, slots=True)
class ImportedContract:
    """A contract that was signed before the platform was introduced."""

    company: str
    price: Money
    lines: list[ContractLine]
    deliverables: list[str]
    signed_on: date
    effective_on: date
    finishes_on: date


def _imported(event: legal.EngagementImported) -> ImportedContract:
    return ImportedContract(
        company=event.company,
        price=event.price,
        lines=with_kept_billing(event.scheduled_lines),
        deliverables=list(event.named_deliverables),
        signed_on=event.signed_on,
        effective_on=event.effective_on,
        finishes_on=event.finishes_on,
    )


@dataclass(slots=True)
class Amendment:
    """An amendment of the contract to a change order."""

    amendment: str
    change: str
    content_hash: str
    changes: list[LineChange]
    price_delta: Money
    finishes_on: date
    deliverables_added: dict[str, str]
    deliverables_removed: list[str]
    drafted: Ref | None = None
    signed: Ref | None = None
    signed_on: date | None = None
    finish_before: date | None = None
    """Finish of the contract before the signature."""
    lines_before: list[ContractLine] = field(default_factory=list)
    """The lines that it changes, before the signature; with the billing that a view keeps."""


@dataclass(slots=True)
class Obligation:
    """Something that the contract obliges a party to; `met_on` is None while it is open."""

    text: str
    owed_by: Party
    person: str
    due_on: date | None
    clause: str
    said: Ref
    met_on: date | None = None

    def is_overdue(self, today: date) -> bool:
        """Return whether it is not met although its day has passed."""
        return self.met_on is None and self.due_on is not None and self.due_on < today


def _obligation(recorded: Recorded[legal.ObligationRecorded]) -> Obligation:
    event = recorded.event
    return Obligation(
        event.text, event.owed_by, event.person, event.due_on, event.clause, ref(recorded)
    )


@dataclass(slots=True)
class LegalSection:
    """The engagement as Legal published it.

    `redlines` has the outcome of each redline by its id, None while it is open. `contract_lines`
    are those of the signed version, or of the contract taken over, with all signed amendments, and
    `contract_price` is their sum; of their billing, they have the fees of retainers and the
    entries on acceptance only.
    """

    questions: dict[str, Kept[legal.QuestionAsked]] = each_by(
        legal.QuestionAsked, lambda event: event.question
    )
    answers: dict[str, Kept[legal.QuestionAnswered]] = each_by(
        legal.QuestionAnswered, lambda event: event.question
    )
    filed: Ref | None = newest_ref(legal.FileOpened)
    sows: dict[int, Kept[Sow]] = each_by(legal.SowDrafted, lambda event: event.version, kept=_sow)
    redlines: dict[str, str | None] = field(default_factory=dict)
    approved: Kept[legal.SowApproved] | None = newest(legal.SowApproved)
    sent: Kept[legal.SowSentForSignature] | None = newest(
        legal.SowSentForSignature, until=(legal.SignatureDeclined,)
    )
    declined: Kept[legal.SignatureDeclined] | None = newest(
        legal.SignatureDeclined, until=(legal.SowSentForSignature,)
    )
    """The last refusal to sign, until a version is sent for signature again."""
    signed: Kept[legal.SowSigned] | None = newest(legal.SowSigned)
    early_starts: list[Kept[legal.EarlyStartAuthorised]] = every(legal.EarlyStartAuthorised)
    early_starts_expired: dict[date, Kept[legal.EarlyStartExpired]] = each_by(
        legal.EarlyStartExpired, lambda event: event.expired_on
    )
    """The ends of early starts by their last day."""
    amendments: dict[str, Amendment] = field(default_factory=dict)
    obligations: dict[str, Obligation] = each_with_day(
        (legal.ObligationRecorded,),
        lambda event: event.obligation,
        _obligation,
        day="met_on",
        by=legal.ObligationMet,
        reopened=legal.ObligationReopened,
        until=legal.ObligationWithdrawn,
    )
    contract_lines: list[ContractLine] = field(default_factory=list)
    contract_price: Money | None = None
    terminated: Kept[legal.EngagementTerminated] | None = newest(legal.EngagementTerminated)
    imported: Kept[ImportedContract] | None = newest(legal.EngagementImported, kept=_imported)

    @property
    def latest_sow(self) -> Kept[Sow] | None:
        """The newest version, signed or not."""
        return self.sows[max(self.sows)] if self.sows else None

    @property
    def signed_sow(self) -> Kept[Sow] | None:
        """The version that both parties signed."""
        return self.sows.get(self.signed.event.version) if self.signed else None

    def has_expired(self, start: legal.EarlyStartAuthorised) -> bool:
        """Return whether the end of an early start was published."""
        return start.expires_on in self.early_starts_expired

    def amendment_of(self, change: str) -> Amendment | None:
        """Return the amendment to a change order, drafted or signed, or None."""
        return next((item for item in self.amendments.values() if item.change == change), None)

    def signed_amendments(self) -> list[Amendment]:
        """Return the signed amendments, in the order of their signatures."""
        return [item for item in self.amendments.values() if item.signed is not None]

    @property
    def agreed(self) -> Ref | None:
        """The latest signature of the contract: that of its last amendment, or else its own.

        A contract that was taken over was agreed when Legal took it over.
        """
        amendments, contract = self.signed_amendments(), self.signed or self.imported
        return amendments[-1].signed if amendments else contract.said if contract else None

    @property
    def effective_on(self) -> date | None:
        """The first day that the signed version, or the contract taken over, covers; else None."""
        contract = self.signed_sow or self.imported
        return contract.event.effective_on if contract else None

    def descoped(self) -> set[str]:
        """Return the deliverables that amendments removed and no later one added again."""
        removed: set[str] = set()
        for amendment in self.signed_amendments():
            removed -= amendment.deliverables_added.keys()
            removed |= set(amendment.deliverables_removed)
        return removed

    @property
    def contract_finish(self) -> date | None:
        """The finish in the last signed amendment, or else in the contract."""
        contract = self.signed_sow or self.imported
        if contract is None:
            return None
        amendments = self.signed_amendments()
        return amendments[-1].finishes_on if amendments else contract.event.finishes_on

    @property
    def contract_deliverables(self) -> dict[str, str]:
        """The titles of the deliverables by id, with those that amendments added and removed.

        A contract that was taken over has only their ids.
        """
        if self.signed_sow is not None:
            deliverables = dict(self.signed_sow.event.deliverables)
        elif self.imported is not None:
            deliverables = {each: each for each in self.imported.event.deliverables}
        else:
            return {}
        for amendment in self.signed_amendments():
            deliverables |= amendment.deliverables_added
            for removed in amendment.deliverables_removed:
                deliverables.pop(removed, None)
        return deliverables


steps = Steps(LegalSection, ignored=[legal.SowSignatureRecorded])


def _signatory(signatory: Signatory, names: Names) -> str:
    return f"{names.person(signatory.person)} ({signatory.party})"


steps.describe(legal.FileOpened, lambda event, _: f"File opened: {event.title}.")
steps.describe(
    legal.SowDrafted,
    lambda event, _: (
        f"Statement of work {event.version} drafted: {money(event.price)}, from "
        f"{day(event.starts_on)} to {day(event.finishes_on)}, with "
        f"{listed(each.title for each in event.deliverables)}; {first_lines(event.lines)}."
    ),
)
steps.describe(
    legal.SowRedlined,
    lambda event, _: (
        f"The {event.by} wants clause {event.clause} of version {event.version} changed: "
        f"“{event.text}”"
    ),
)


@steps.on(legal.SowRedlined)
def _redlined(section: LegalSection, recorded: Recorded[legal.SowRedlined]) -> None:
    section.redlines[recorded.event.redline] = None


steps.describe(
    legal.RedlineResolved,
    lambda event, _: (
        f"Redline {event.redline} {event.outcome} on {day(event.resolved_on)}."
        f"{if_given(' “{}”', event.note)}"
    ),
)


@steps.on(legal.RedlineResolved)
def _redline_resolved(section: LegalSection, recorded: Recorded[legal.RedlineResolved]) -> None:
    section.redlines[recorded.event.redline] = recorded.event.outcome


steps.describe(
    legal.SowApproved,
    lambda event, _: f"Statement of work {event.version} approved by all required approvers.",
)
steps.describe(
    legal.SowSentForSignature,
    lambda event, _: (
        f"Statement of work {event.version} sent for signature on {day(event.sent_on)}."
    ),
)
steps.describe(
    legal.SowSignatureRecorded,
    lambda event, names: (
        f"{_signatory(event.signatory, names)} signed statement of work {event.version}."
    ),
)
steps.describe(
    legal.SignatureDeclined,
    lambda event, names: (
        f"{names.person(event.person)}, for the {event.party}, declined to sign statement of work "
        f"{event.version} on {day(event.declined_on)}: “{event.why}”"
    ),
)
steps.describe(
    legal.SowSigned,
    lambda event, names: (
        f"Statement of work {event.version} signed by both parties on {day(event.signed_on)}: "
        f"{listed(_signatory(each, names) for each in event.signatories)}."
    ),
)


@steps.on(legal.SowSigned)
def _signed(section: LegalSection, recorded: Recorded[legal.SowSigned]) -> None:
    del recorded
    sow = section.signed_sow
    if sow is not None:
        _agree(section, sow.event.lines)


@steps.on(legal.EngagementImported)
def _taken_over(section: LegalSection, recorded: Recorded[legal.EngagementImported]) -> None:
    _agree(section, recorded.event.scheduled_lines)


def _agree(section: LegalSection, lines: Iterable[ContractLine]) -> None:
    section.contract_lines = with_kept_billing(lines)
    currency = section.contract_lines[0].price.currency
    section.contract_price = total_price(section.contract_lines, currency)


steps.describe(
    legal.EarlyStartAuthorised,
    lambda event, _: (
        f"Early start authorised{if_given(' for {}', event.cap_hours, hours)}"
        f"{if_given(' up to {}', event.cap_amount, money)} from {day(event.starts_on)} "
        f"until {day(event.expires_on)}: "
        f"“{event.reason}”"
    ),
)
steps.describe(
    legal.EarlyStartExpired,
    lambda event, _: f"Early start expired on {day(event.expired_on)}; the contract is not signed.",
)
steps.describe(
    legal.AmendmentDrafted,
    lambda event, names: (
        f"Amendment {event.amendment} to change {event.change} drafted: "
        f"{money(event.price_delta)}, finish {day(event.finishes_on)}; "
        f"{first_changes(event.changes, names)}. “{event.scope_delta}”"
    ),
)


@steps.on(legal.AmendmentDrafted)
def _amendment_drafted(section: LegalSection, recorded: Recorded[legal.AmendmentDrafted]) -> None:
    section.amendments[recorded.event.amendment] = amendment = _amendment(recorded.event)
    amendment.drafted = ref(recorded)


steps.describe(
    legal.AmendmentSigned,
    lambda event, names: (
        f"Amendment {event.amendment} to change {event.change} signed on {day(event.signed_on)}: "
        f"{money(event.price_delta)}, finish {day(event.finishes_on)}; "
        f"{first_changes(event.changes, names)}."
    ),
)


@steps.on(legal.AmendmentSigned)
def _amendment_signed(section: LegalSection, recorded: Recorded[legal.AmendmentSigned]) -> None:
    event = recorded.event
    # Removed and added at the end: the dict keeps amendments in the order of their signatures.
    finish_before = section.contract_finish
    drafted = section.amendments.pop(event.amendment, None)
    section.amendments[event.amendment] = amendment = _amendment(event)
    amendment.drafted = drafted.drafted if drafted else None
    amendment.signed, amendment.signed_on = ref(recorded), event.signed_on
    amendment.finish_before = finish_before
    changed = {change.line for change in event.changes}
    amendment.lines_before = [each for each in section.contract_lines if each.line in changed]
    if section.contract_lines:
        _agree(section, changed_lines(section.contract_lines, amendment.changes))


def _amendment(event: legal.AmendmentDrafted | legal.AmendmentSigned) -> Amendment:
    return Amendment(
        amendment=event.amendment,
        change=event.change,
        content_hash=event.content_hash,
        changes=list(event.changes),
        price_delta=event.price_delta,
        finishes_on=event.finishes_on,
        deliverables_added=titles(event.deliverables_added),
        deliverables_removed=list(event.deliverables_removed),
    )


steps.describe(
    legal.ObligationRecorded,
    lambda event, names: (
        f"The {event.owed_by} owes ({names.person(event.person)}"
        f"{if_given(', by {}', event.due_on, day)}, clause {event.clause}): “{event.text}”"
    ),
)
steps.describe(
    legal.ObligationMet,
    lambda event, _: f"Obligation {event.obligation} met on {day(event.met_on)}.",
)
steps.describe(
    legal.ObligationReopened,
    lambda event, _: (
        f"Obligation of the {event.owed_by} (clause {event.clause}) is open again, not met on "
        f"{day(event.met_on)}: “{event.why}”"
    ),
)
steps.describe(
    legal.ObligationWithdrawn,
    lambda event, _: (
        f"Obligation {event.obligation} withdrawn on {day(event.withdrawn_on)}: “{event.why}”"
    ),
)
steps.describe(
    legal.EngagementTerminated,
    lambda event, names: (
        f"Contract terminated on {day(event.terminated_on)} ({words(event.reason)})"
        f"{if_given(', decided by {}', event.decided_by, names.person)}."
        f"{if_given(' “{}”', event.comment)}"
    ),
)
steps.describe(legal.QuestionAsked, question("Legal"))
steps.describe(legal.QuestionAnswered, answer("Legal"))
steps.describe(
    legal.EngagementImported,
    lambda event, _: (
        f"Contract over {money(event.price)}, signed on {day(event.signed_on)}, taken over"
        f"{if_given('; corrected: “{}”', event.why)}."
    ),
)

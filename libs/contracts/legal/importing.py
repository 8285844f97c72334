"""Define the event of a contract that was signed before the platform was introduced."""

from typing import Self

from pydantic import model_validator

from contracts.channels import LEGAL
from contracts.event import Event
from contracts.lines import ContractLine, ContractLines, total_price, with_usual_billing
from contracts.money import PositiveTotal, invalid
from contracts.values import AccountId, ContentHash, Day, Days, Identifier, SourceRecord, TakenOver


class ImportedContract(TakenOver, SourceRecord):
    """The contract of an engagement that was under way before the platform was introduced."""

    company: Identifier
    """Id of the company that sells."""
    customer: AccountId
    """Id of the customer's organisation that is the party of the contract."""
    lines: ContractLines
    """Lines of the contract, with all amendments up to the import."""
    price: PositiveTotal
    """Price of the contract: the sum of the lines."""
    signed_on: Day
    """Day on which the last party signed."""
    effective_on: Day
    """First day of the work that the contract covers; it may be before the signature."""
    starts_on: Day
    """First day of the work."""
    finishes_on: Day
    """Agreed last day of the work, with all amendments up to the import."""
    payment_terms_days: Days
    """Calendar days from the invoice date to the due day."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        total = total_price(self.lines, self.lines[0].price.currency)
        if self.price != total:
            raise invalid("price", f"must be the sum of the lines, {total}", self.price)
        if self.finishes_on < self.starts_on:
            raise invalid("finishes_on", "must not be before starts_on", self.finishes_on)
        if self.finishes_on < self.effective_on:
            raise invalid("effective_on", "must not be after finishes_on", self.effective_on)
        return self

    @property
    def scheduled_lines(self) -> tuple[ContractLine, ...]:
        """Return the lines with their billing schedules, the usual one where a line has none."""
        return tuple(with_usual_billing(line, self.finishes_on) for line in self.lines)

    @property
    def named_deliverables(self) -> tuple[Identifier, ...]:
        """Return the ids of the deliverables that lines and their schedules name, each once."""
        named = (
            each
            for line in self.lines
            for names in (line.deliverables, *(item.deliverables for item in line.billing))
            for each in names
        )
        return tuple(dict.fromkeys(named))


class EngagementImported(
    ImportedContract, Event, channel=LEGAL, consumed_by=("sales", "delivery", "finance")
):
    """The contract of an engagement under way was taken over from another system.

    Published by Legal; again when it is corrected. It takes the place of a signed statement of
    work. What happened before is not judged: no gate of Legal was applied.
    """

    content_hash: ContentHash
    """SHA-256 of the signed document, which Legal keeps."""

"""Define the lines of a contract: what is sold, at which price, how it is billed and changed.

A line keeps its id from the proposal through the statement of work, amendments and the budget to
invoices and revenue. Everywhere the lines add up to the price of the contract.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import AfterValidator, Field, ValidationInfo, field_validator, model_validator

from contracts.money import ItemMoney, Money, NotNegativeMoney, PositiveMoney, PositiveRate, Rate
from contracts.purchases import PlannedPurchase, PlannedPurchases, PurchaseKind, purchases_by_kind
from contracts.values import (
    AccountId,
    AsNumber,
    Day,
    Deliverable,
    DistinctBy,
    HoursDelta,
    Identifier,
    ItemRoleHours,
    ProjectRole,
    RevenueMethod,
    RoleHours,
    ShortText,
    Value,
    YesNo,
)
from contracts.vocabularies import OPEN, Unlisted

ContractLineKind = Annotated[
    Literal["services", "project-management", "expenses", "licence", "discount"] | Unlisted, OPEN
]
"""Kind of what a line sells; a discount lowers the price of the other lines."""
Pricing = Annotated[Literal["fixed", "time-and-materials", "retainer", "at-cost"] | Unlisted, OPEN]
"""Method by which the price of a line is determined."""
BillingKind = Annotated[
    Literal["on-signature", "on-date", "on-acceptance", "time", "period"] | Unlisted, OPEN
]
"""The condition that makes an entry of a billing schedule due (see `BillingItem`)."""
Treatment = Annotated[Literal["separate", "prospective", "catch-up"] | Unlisted, OPEN]
"""Accounting treatment of a contract modification.

`separate` is a contract of its own (IFRS 15.20), `prospective` changes the revenue still to come
(15.21(a)), and `catch-up` corrects the revenue to date (15.21(b)).
"""

MOST_LINES = 200
"""Maximum number of lines of a contract."""
HOURLY: frozenset[Pricing] = frozenset({"time-and-materials", "at-cost"})
"""Pricings whose approved time and expenses are billed, up to the price of the line."""


class LineRate(Value):
    """Bill rate per hour of a role on a line, from a day on."""

    role: ProjectRole
    """Role whose hours are billed."""
    rate: PositiveRate
    """Bill rate per hour."""
    from_day: Day | None = None
    """First day on which the rate applies; null where it applies from the beginning."""


def _each_day_once(rates: tuple[LineRate, ...]) -> tuple[LineRate, ...]:
    times = Counter((rate.role, rate.from_day) for rate in rates)
    repeated = sorted({role for (role, _), count in times.items() if count > 1})
    if repeated:
        raise ValueError(f"{', '.join(repeated)} has two rates from the same day")
    return rates


LineRates = Annotated[tuple[LineRate, ...], Field(max_length=1_000), AfterValidator(_each_day_once)]
"""Bill rates by role and day; one rate of a role from one day."""


class Retainer(Value):
    """Fee for each of a number of calendar months."""

    fee: PositiveMoney
    """Fee for one month."""
    periods: Annotated[int, Field(ge=1, le=600), AsNumber]
    """Number of months."""
    starts_on: Day
    """A day of the first month."""


class BillingItem(Value):
    """Entry of the billing schedule of a line."""

    item: Identifier
    """Id of the entry within the engagement."""
    kind: BillingKind
    """The condition that makes the entry due.

    `on-signature`: the signature. `on-date`: the day `due_on`. `on-acceptance`: the acceptance of
    all its deliverables. `time`: approved time and expenses, as they are billed, up to the amount.
    `period`: the fee of a retainer, on the first day of each of its months. On a contract with
    lines by time and materials, the first two are advances that are drawn down by billed time.
    """
    amount: ItemMoney
    """Amount to be billed without tax, not zero; negative on a discount line."""
    due_on: Day | None = None
    """Day on which the entry becomes due; it may be null unless the kind is `on-date`."""
    deliverables: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    """Ids of deliverables; required where the kind is `on-acceptance`."""
    reduces: Identifier | None = None
    """On a discount line: id of the entry of another line that is billed less by this amount.

    Null on all other lines.
    """
    description: ShortText = "Services"
    """Text for the invoice."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "on-date" and self.due_on is None:
            raise ValueError("due_on is required where kind is on-date")
        if self.kind == "on-acceptance" and not self.deliverables:
            raise ValueError("deliverables are required where kind is on-acceptance")
        if not self.amount.amount:
            raise ValueError("amount must not be zero")
        if (self.amount.amount < 0) != (self.reduces is not None):
            raise ValueError("reduces is required where amount is negative, and only there")
        return self


BillingItems = Annotated[tuple[BillingItem, ...], Field(max_length=500), DistinctBy("item")]
"""Entries of a billing schedule with different ids, at most 500."""


class LineTerms(Value):
    """A line of a contract without its billing schedule."""

    line: Identifier
    """Id of the line within the engagement."""
    title: ShortText
    """Title of the line."""
    kind: ContractLineKind = "services"
    """Thing that the line sells; a discount lowers the price of others."""
    pricing: Pricing
    """Rule by which the price of the line is determined."""
    price: ItemMoney
    """Price of the line without tax; not positive where its kind is `discount`, else not negative.

    By time and materials or at cost it is the maximum (cap) that is billed or, where `estimated`,
    an estimate. Of a retainer it is the fee of all months.
    """
    estimated: YesNo = False
    """True if the price is an estimate and not a maximum; by time and materials or at cost only."""
    hours: Annotated[tuple[ItemRoleHours, ...], Field(max_length=100), DistinctBy("role")] = ()
    """Planned hours by role."""
    purchases: PlannedPurchases = ()
    """Planned purchases by kind; a line at cost without hours plans purchases of its price."""
    rates: LineRates = ()
    """Agreed bill rates per hour; by time and materials one for every role."""
    retainer: Retainer | None = None
    """Fee and months; null unless the pricing is `retainer`."""
    stand_alone_price: NotNegativeMoney | None = None
    """Price at which the line would be sold alone (IFRS 15.77); null where it is the price."""
    tax_code: Identifier | None = None
    """Id of the tax rate; null where it follows from seller and customer."""
    bill_to: AccountId | None = None
    """Account that gets the invoices; null where it is the customer."""
    deliverables: Annotated[tuple[Identifier, ...], Field(max_length=200)] = ()
    """Ids of the deliverables that the line pays for."""

    @field_validator("retainer")
    @classmethod
    def _fees(cls, retainer: Retainer | None, info: ValidationInfo) -> Retainer | None:
        pricing, price = info.data.get("pricing"), info.data.get("price")
        if pricing is not None and (pricing == "retainer") != (retainer is not None):
            raise ValueError("is required where pricing is retainer, and only there")
        if retainer is not None and price is not None:
            fees = retainer.fee * retainer.periods
            if fees != price:
                raise ValueError(f"must add up to the price, {price}, and adds up to {fees}")
        return retainer

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if self.price.amount < 0 and self.kind != "discount":
            raise ValueError("price must not be negative unless kind is discount")
        if self.price.amount > 0 and self.kind == "discount":
            raise ValueError("price must not be positive where kind is discount")
        if self.kind == "discount" and self.pricing != "fixed":
            raise ValueError("pricing must be fixed where kind is discount")
        if self.estimated and self.pricing not in HOURLY:
            raise ValueError("estimated is for time-and-materials and at-cost only")
        other = sorted({each.currency for each in self._amounts()} - {self.price.currency})
        if other:
            raise ValueError(f"must be in {self.price.currency}, not in {' and '.join(other)}")
        return self

    def _amounts(self) -> Iterator[Money | Rate]:
        yield from (each.rate for each in self.rates)
        yield from (each.amount for each in self.purchases)
        if self.retainer:
            yield self.retainer.fee
        if self.stand_alone_price:
            yield self.stand_alone_price

    @property
    def cap(self) -> Money | None:
        """Return the maximum that is billed for time and expenses, or None where there is none."""
        return self.price if self.pricing in HOURLY and not self.estimated else None

    @property
    def planned_purchases(self) -> tuple[PlannedPurchase, ...]:
        """Return the planned purchases; those of a line at cost without hours are its price."""
        if self.purchases or self.hours or self.pricing != "at-cost":
            return self.purchases
        kind: PurchaseKind = "licence" if self.kind == "licence" else "expenses"
        return (PlannedPurchase(kind=kind, amount=self.price),)

    def rate_on(self, role: str, day: date) -> Rate | None:
        """Return the agreed bill rate of a role on a day, or None."""
        of_role = [
            each
            for each in self.rates
            if each.role == role and (each.from_day is None or each.from_day <= day)
        ]
        return max(of_role, key=lambda each: each.from_day or date.min).rate if of_role else None

    @property
    def without_rate(self) -> tuple[str, ...]:
        """Return the roles of the hours that need an agreed rate and have none."""
        if self.pricing not in HOURLY or self.kind == "expenses":
            return ()
        rated = {each.role for each in self.rates}
        return tuple(each.role for each in self.hours if each.role not in rated)


class ContractLine(LineTerms):
    """A line of a contract with its billing schedule."""

    billing: BillingItems = ()
    """Entries of the billing schedule; in a won deal they add up to the price."""

    @model_validator(mode="after")
    def _billable(self) -> Self:
        currencies = {item.amount.currency for item in self.billing} - {self.price.currency}
        if currencies:
            raise ValueError(f"billing must be in {self.price.currency}")
        kinds = {item.kind for item in self.billing}
        if "period" in kinds and self.pricing != "retainer":
            raise ValueError("billing of kind period is for retainers only")
        if "time" in kinds and self.pricing not in HOURLY:
            raise ValueError("billing of kind time is for time-and-materials and at-cost only")
        if any((item.reduces is None) == (self.kind == "discount") for item in self.billing):
            raise ValueError("billing reduces other entries on a discount line, and only there")
        return self

    @property
    def billed(self) -> Money:
        """Return the sum of the billing schedule."""
        return Money.total((item.amount for item in self.billing), self.price.currency)


class ProposedLine(ContractLine):
    """A line of a proposal."""

    optional: YesNo = False
    """True if the customer may leave the line out; it is not in the price of the proposal.

    A discount is never optional: the customer would always choose it.
    """

    @model_validator(mode="after")
    def _no_optional_discount(self) -> Self:
        if self.optional and self.kind == "discount":
            raise ValueError("optional must be false where kind is discount")
        return self


def _consistent(lines: tuple[ContractLine, ...]) -> tuple[ContractLine, ...]:
    currencies = sorted({line.price.currency for line in lines})
    if len(currencies) > 1:
        raise ValueError(f"must be in one currency, not in {' and '.join(currencies)}")
    items = Counter(item.item for line in lines for item in line.billing)
    repeated = sorted(item for item, count in items.items() if count > 1)
    if repeated:
        raise ValueError(f"{', '.join(repeated)} is the id of two billing entries")
    reduced = {item.reduces for line in lines for item in line.billing if item.reduces}
    unknown = sorted(reduced - {*items})
    if unknown:
        raise ValueError(f"billing reduces {', '.join(unknown)}, which is no entry of these lines")
    return lines


ContractLines = Annotated[
    tuple[ContractLine, ...],
    Field(min_length=1, max_length=MOST_LINES),
    DistinctBy("line"),
    AfterValidator(_consistent),
]
"""Lines of a contract with different ids, in one currency, from 1 to 200."""
ProposedLines = Annotated[
    tuple[ProposedLine, ...],
    Field(min_length=1, max_length=MOST_LINES),
    DistinctBy("line"),
    AfterValidator(_consistent),
]
"""Lines of a proposal with different ids, in one currency, from 1 to 200."""


class RoleHoursDelta(Value):
    """Change of the planned hours of a role."""

    role: ProjectRole
    """Role whose hours change."""
    hours: HoursDelta
    """Hours that are added; negative where they are taken away."""


class NewLine(Value):
    """A line that a change adds, without its price."""

    title: ShortText
    """Title of the line."""
    kind: ContractLineKind = "services"
    """Thing that the line sells."""
    pricing: Pricing
    """Rule by which the price of the line is determined."""


RoleHoursDeltas = Annotated[tuple[RoleHoursDelta, ...], Field(max_length=100), DistinctBy("role")]
"""Changes of the planned hours of different roles, at most 100."""


class LineScopeChange(Value):
    """Change of one line as Delivery assesses it: hours, deliverables, rates, without a price."""

    line: Identifier
    """Id of the line; of a new one where `new` is given."""
    hours: RoleHoursDeltas = ()
    """Change of the planned hours by role."""
    deliverables_added: Annotated[
        tuple[Deliverable, ...], Field(max_length=100), DistinctBy("deliverable")
    ] = ()
    """Deliverables that come in addition."""
    deliverables_removed: Annotated[tuple[Identifier, ...], Field(max_length=100)] = ()
    """Ids of deliverables that are no longer delivered."""
    rates: LineRates = ()
    """Bill rates per hour that are added or replace others, each from its day on.

    Work before that day keeps its rate.
    """
    new: NewLine | None = None
    """The line that is added; null where the contract has the line."""

    @property
    def hours_delta(self) -> Decimal:
        """Return the change of the hours of all roles."""
        return sum((each.hours for each in self.hours), Decimal(0))


class LineChange(LineScopeChange):
    """Change of one line with its price. All that is not named stays as it is."""

    price_delta: ItemMoney
    """Amount by which the price of the line changes; the whole price of a new line."""
    retainer: Retainer | None = None
    """Fee and months of a retainer after the change; null where they stay or there are none."""
    billing_added: BillingItems = ()
    """Entries that are added to the billing schedule of the line."""
    billing_changed: BillingItems = ()
    """Entries of the billing schedule that replace those with the same id."""
    billing_removed: Annotated[tuple[Identifier, ...], Field(max_length=500)] = ()
    """Ids of entries that are removed from the billing schedule."""

    @model_validator(mode="after")
    def _in_one_currency(self) -> Self:
        billing = (*self.billing_added, *self.billing_changed)
        amounts: list[Money | Rate] = [each.rate for each in self.rates]
        amounts += [each.amount for each in billing]
        amounts += [self.retainer.fee] if self.retainer else []
        currency = self.price_delta.currency
        if any(each.currency != currency for each in amounts):
            raise ValueError(f"rates, retainer and billing must be in {currency}")
        return self


ScopeChanges = Annotated[
    tuple[LineScopeChange, ...], Field(min_length=1, max_length=200), DistinctBy("line")
]
"""Changes of different lines without prices, from 1 to 200."""


class ScopeChange(Value):
    """Changes of lines, with the deliverables that they add and take away."""

    changes: ScopeChanges
    """Changes of hours and deliverables by contract line; negative where scope is taken away."""

    @property
    def deliverables_added(self) -> tuple[Deliverable, ...]:
        """Return the deliverables that any line adds."""
        return tuple(each for change in self.changes for each in change.deliverables_added)

    @property
    def deliverables_removed(self) -> tuple[Identifier, ...]:
        """Return the ids of the deliverables that any line takes away."""
        return tuple(each for change in self.changes for each in change.deliverables_removed)


def _in_one_currency(changes: tuple[LineChange, ...]) -> tuple[LineChange, ...]:
    currencies = sorted({change.price_delta.currency for change in changes})
    if len(currencies) > 1:
        raise ValueError(f"must be in one currency, not in {' and '.join(currencies)}")
    return changes


LineChanges = Annotated[
    tuple[LineChange, ...],
    Field(min_length=1, max_length=MOST_LINES),
    DistinctBy("line"),
    AfterValidator(_in_one_currency),
]
"""Changes of different lines, in one currency, from 1 to 200."""


class PerformanceObligation(Value):
    """Lines whose revenue is measured together (IFRS 15.22)."""

    obligation: Identifier
    """Id of the obligation within the engagement."""
    lines: Annotated[tuple[Identifier, ...], Field(min_length=1, max_length=200)]
    """Ids of the lines."""
    method: RevenueMethod
    """Method by which revenue is recognised; it is never changed."""


def total_price(lines: Iterable[LineTerms], currency: str) -> Money:
    """Return the sum of the prices of lines; raises CurrencyMismatch for another currency."""
    return Money.total((line.price for line in lines), currency)


def total_delta(changes: tuple[LineChange, ...]) -> Money:
    """Return the sum of the price changes; raises IndexError without any change."""
    return Money.total((change.price_delta for change in changes), changes[0].price_delta.currency)


def hours_by_role(lines: Iterable[LineTerms]) -> Mapping[str, Decimal]:
    """Return the planned hours of lines by role."""
    totals: dict[str, Decimal] = {}
    for line in lines:
        for each in line.hours:
            totals[each.role] = totals.get(each.role, Decimal(0)) + each.hours
    return totals


def purchases_of(lines: Iterable[LineTerms]) -> Mapping[PurchaseKind, Money]:
    """Return the planned purchases of lines by kind."""
    return purchases_by_kind(each for line in lines for each in line.planned_purchases)


class OfferTerms(NamedTuple):
    """The amounts by which the margin of some lines is computed: price, hours, purchases.

    `hours` are those of each role with any, by name, `purchases` those of each kind; `at_cost` is
    what is bought for lines at cost.
    """

    price: Decimal
    hours: tuple[tuple[str, Decimal], ...]
    purchases: tuple[tuple[str, Decimal], ...]
    at_cost: Decimal


class Offer(NamedTuple):
    """The terms of a proposal that decide about its margin; equal however it is divided in lines.

    Each optional line has terms of its own, since the customer may leave it out.
    """

    required: OfferTerms
    options: tuple[OfferTerms, ...]


def offer_of(lines: Iterable[ProposedLine]) -> Offer:
    """Return the terms of the lines of a proposal that decide about its margin."""
    lines = tuple(lines)
    return Offer(
        _terms(line for line in lines if not line.optional),
        tuple(sorted(_terms([line]) for line in lines if line.optional)),
    )


def _terms(lines: Iterable[ProposedLine]) -> OfferTerms:
    lines = tuple(lines)
    hours = hours_by_role(lines)
    bought = purchases_of(line for line in lines if line.pricing != "at-cost")
    at_cost = purchases_of(line for line in lines if line.pricing == "at-cost")
    return OfferTerms(
        price=sum((line.price.amount for line in lines), Decimal(0)),
        hours=tuple(sorted((role, number) for role, number in hours.items() if number)),
        purchases=tuple(
            sorted((kind, each.amount) for kind, each in bought.items() if each.amount)
        ),
        at_cost=sum((each.amount for each in at_cost.values()), Decimal(0)),
    )


def with_usual_billing(line: ContractLine, finishes_on: date) -> ContractLine:
    """Return the line with the usual billing schedule where it has none.

    Time and materials and at cost are billed as worked, a retainer by month, a fixed price on the
    acceptance of all deliverables of the line or, where it has none, on `finishes_on`. A discount
    has no usual schedule.
    """
    if line.billing or line.kind == "discount":
        return line
    accepted = line.pricing == "fixed" and bool(line.deliverables)
    kind: BillingKind = (
        "time"
        if line.pricing in HOURLY
        else "period"
        if line.pricing == "retainer"
        else "on-acceptance"
        if accepted
        else "on-date"
    )
    if not line.price.amount:
        return line
    item = BillingItem(
        item=line.line,
        kind=kind,
        amount=line.price,
        due_on=finishes_on if kind == "on-date" else None,
        deliverables=line.deliverables if accepted else (),
        description=line.title,
    )
    return line.model_copy(update={"billing": (item,)})


def changed_lines(
    lines: Iterable[ContractLine], changes: Iterable[LineChange]
) -> tuple[ContractLine, ...]:
    """Return the lines of a contract after changes, in order; new lines come last.

    Hours never become negative. Raises ValueError where a change names a line that the contract
    does not have without being a new one, or adds one that exists, and ValidationError (a
    ValueError) where a changed line is not valid.
    """
    after = {line.line: line for line in lines}
    for change in changes:
        known = after.get(change.line)
        if (known is None) == (change.new is None):
            raise ValueError(
                f"{change.line}: the contract has this line already"
                if known
                else f"{change.line}: the contract has no such line"
            )
        after[change.line] = _changed(known, change) if known else _added(change)
    return tuple(after.values())


def _stand_alone_price(line: ContractLine, change: LineChange) -> Money | None:
    """Return the stand-alone price of a changed line; the change counts at its price."""
    if line.stand_alone_price is None:
        return None
    return max(line.stand_alone_price + change.price_delta, Money.zero(line.price.currency))


def _changed(line: ContractLine, change: LineChange) -> ContractLine:
    hours = {each.role: each.hours for each in line.hours}
    for each in change.hours:
        hours[each.role] = max(Decimal(0), hours.get(each.role, Decimal(0)) + each.hours)
    added = tuple(each.deliverable for each in change.deliverables_added)
    gone = {*change.deliverables_removed}
    replaced = {item.item: item for item in change.billing_changed}
    kept = (item for item in line.billing if item.item not in change.billing_removed)
    dated = {(each.role, each.from_day): each for each in (*line.rates, *change.rates)}
    return ContractLine(
        **{
            **dict(line),
            "price": line.price + change.price_delta,
            "stand_alone_price": _stand_alone_price(line, change),
            "hours": tuple(
                RoleHours(role=role, hours=total) for role, total in hours.items() if total
            ),
            "rates": tuple(dated.values()),
            "retainer": change.retainer or line.retainer,
            "deliverables": tuple(
                dict.fromkeys(each for each in (*line.deliverables, *added) if each not in gone)
            ),
            "billing": (
                *(replaced.get(item.item, item) for item in kept),
                *change.billing_added,
            ),
        }
    )


def _added(change: LineChange) -> ContractLine:
    outline = change.new
    if outline is None:
        raise ValueError(f"{change.line}: a new line needs title and pricing")
    return ContractLine(
        line=change.line,
        title=outline.title,
        kind=outline.kind,
        pricing=outline.pricing,
        price=change.price_delta,
        hours=tuple(
            RoleHours(role=each.role, hours=each.hours) for each in change.hours if each.hours > 0
        ),
        rates=change.rates,
        retainer=change.retainer,
        deliverables=tuple(each.deliverable for each in change.deliverables_added),
        billing=change.billing_added,
    )

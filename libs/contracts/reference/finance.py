"""Define the reference data of Finance: companies, rate cards, tax and exchange rates, cost rates.

Cost rates are published in confidence.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, ClassVar, Literal, Self, TypeVar, get_args

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.channels import FINANCE_CONFIDENTIAL_REFERENCE, FINANCE_REFERENCE
from contracts.decimals import CANONICAL, ROUNDING, Rounding
from contracts.money import Currency, PositiveRate, Rate
from contracts.places import CountryCode, TimeZone
from contracts.purchases import PurchaseKind
from contracts.reference.record import Reference
from contracts.registrations import Bic, Iban, VatId
from contracts.tax_treatment import TaxTreatment
from contracts.values import (
    AccountId,
    DistinctBy,
    ExchangeRateId,
    Identifier,
    Month,
    Percent,
    PersonId,
    RoleRate,
    ShortText,
    Text,
    Value,
    YesNo,
)


class BankAccount(Value):
    """Bank account of a company: an IBAN, a number of another form, or both."""

    bank_account: Identifier
    """Id of the account within the company."""
    currency: Currency
    """Currency of the account."""
    iban: Iban | None = None
    """IBAN of the account; null where the bank has none."""
    number: ShortText | None = None
    """Bank, branch and account in another form, as a payer has to enter them; null: the IBAN."""
    bic: Bic | None = None
    """BIC of the bank; null where it has none."""

    @model_validator(mode="after")
    def _numbered(self) -> Self:
        if self.iban is None and self.number is None:
            raise ValueError("must have an IBAN or another number")
        return self


class NumberSeries(Value):
    """Settings of the numbers of one kind of document."""

    prefix: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9/-]*$", max_length=12)] = ""
    """Beginning of each number."""
    follow_days: YesNo = False
    """True if a higher number must not have an earlier day."""


class TreatmentCode(Value):
    """The tax code of contract lines that name none, for one treatment of accounts."""

    treatment: TaxTreatment
    """Treatment of the account that gets the invoice."""
    tax_code: Identifier
    """Id of the tax rate."""


class CompanyDetails(Value):
    """The record of a company that sells engagements, without its id."""

    legal_name: ShortText
    """Name in the commercial register."""
    address: Text
    """Postal address, one line of the address per line of text, without the country."""
    country: CountryCode
    """Country as ISO 3166-1 alpha-2 code."""
    vat_id: VatId | None = None
    """VAT id; null where the company is not registered for VAT."""
    bank_accounts: Annotated[
        tuple[BankAccount, ...], Field(max_length=50), DistinctBy("bank_account")
    ] = ()
    """Accounts that customers pay to; an invoice in another currency names the first one."""
    tax_codes: Annotated[
        tuple[TreatmentCode, ...], Field(max_length=10), DistinctBy("treatment")
    ] = ()
    """Tax codes of contract lines that name none, by the treatment of the account."""
    base_currency: Currency
    """Currency of the company's books."""
    time_zone: TimeZone
    """Time zone of the company's business days."""
    calendar: Identifier | None = None
    """Id of the holiday calendar that plans of its engagements go by; null: Monday to Friday."""
    rounding: Rounding = ROUNDING
    """Policy for an amount that is half a minor unit."""
    bank_charge_limit: Percent = Decimal(5)
    """Bank charge that an accountant may accept, in percent of the money that is allocated.

    A controller may accept any.
    """
    write_off_limit: Percent = Decimal(1)
    """Difference that an accountant may write off, in percent of the money that is allocated.

    A controller may write off any.
    """
    invoice_numbers: NumberSeries = NumberSeries()
    """Series of the numbers of invoices."""
    credit_note_numbers: NumberSeries = NumberSeries(prefix="CN-")
    """Series of the numbers of credit notes."""


class CompanyPublished(CompanyDetails, Reference, channel=FINANCE_REFERENCE):
    """A version of the record of a company that sells engagements. Published by Finance."""

    kind: ClassVar[str] = "company"
    company: Identifier
    """Id of the company."""


class TaxRateDetails(Value):
    """A rate of value added or sales tax, without its code."""

    name: ShortText
    """Name of the tax rate."""
    country: CountryCode
    """Country as ISO 3166-1 alpha-2 code."""
    percent: Percent
    """Tax in percent of the net amount; 0 for what is exempt or taxed by the customer."""
    treatment: TaxTreatment = "domestic"
    """Rule that says who owes the tax."""
    note: ShortText | None = None
    """Reason for the exemption, as invoices show it, unless the account has its own.

    Required where the treatment is `exempt`, else null.
    """

    @model_validator(mode="after")
    def _justified(self) -> Self:
        if self.treatment in {"reverse-charge", "exempt"} and self.percent:
            raise ValueError(f"percent must be 0 where treatment is {self.treatment}")
        if (self.treatment == "exempt") != (self.note is not None):
            raise ValueError("note is required where treatment is exempt, and only there")
        return self


class TaxRatePublished(TaxRateDetails, Reference, channel=FINANCE_REFERENCE):
    """A version of a tax rate. Published by Finance."""

    kind: ClassVar[str] = "tax-rate"
    tax_rate: Identifier
    """Tax code, such as `DE-standard`, which the lines of a contract name."""


class LedgerPublished(Reference, channel=FINANCE_REFERENCE):
    """A version of the record of a company's accounting periods: how far its months are closed.

    Published by Finance when the closing of a month begins, is withdrawn, or is completed. All
    other months are open. No decision of another department needs it.
    """

    kind: ClassVar[str] = "ledger"
    ledger: Identifier
    """Id of the company."""
    closed_to: Month | None
    """Last month that is closed, as `YYYY-MM`; null before the first one."""
    closing: Month | None
    """Month that is being closed, as `YYYY-MM`; null where none is."""


LedgerAccount = Literal[
    "receivables",
    "contract-balance",
    "revenue",
    "tax",
    "payments-received",
    "bank-charges",
    "exchange-differences",
    "write-offs",
    "cost",
    "cost-clearing",
    "expected-losses",
    "loss-provision",
]
"""Kind of account that postings name.

`contract-balance` is the contract asset of an engagement or, with a credit balance, its contract
liability. `payments-received` has the money of payments until it is allocated to invoices.
`cost-clearing` has what the company owes to its people for time and expenses. `loss-provision` is
the liability for losses that contracts are expected to bring, beyond their contract assets.
"""


class AccountNumber(Value):
    """Number of an account in the general ledger."""

    account: LedgerAccount
    """Kind of account."""
    about: ShortText | None = None
    """Tax code, method of revenue or kind of cost that it is for; null for all others."""
    number: Annotated[
        str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ./_-]*$", max_length=40)
    ]
    """Number of the account in the general ledger."""


class AccountMappingDetails(Value):
    """The accounts of a company's general ledger by what postings name, without the company."""

    accounts: Annotated[tuple[AccountNumber, ...], Field(max_length=200)]
    """Accounts: one of each kind with `about` null, and others for what `about` says."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        named = [(each.account, each.about) for each in self.accounts]
        for kind, about in named:
            if named.count((kind, about)) > 1:
                raise ValueError(f"accounts: {kind} for {about or 'all others'} is named twice")
        missing = [kind for kind in get_args(LedgerAccount) if (kind, None) not in named]
        if missing:
            raise ValueError(f"accounts: must have an account for {', '.join(missing)}")
        return self

    def number_of(self, account: LedgerAccount, about: str | None) -> str:
        """Return the number of an account, for what it is about or for all others."""
        numbers = {(each.account, each.about): each.number for each in self.accounts}
        return numbers.get((account, about)) or numbers[account, None]


class AccountMappingPublished(AccountMappingDetails, Reference, channel=FINANCE_REFERENCE):
    """A version of the accounts to which the postings of a company go. Published by Finance."""

    kind: ClassVar[str] = "account-mapping"
    account_mapping: Identifier
    """Id of the company."""


ConversionRate = Annotated[
    Decimal,
    Field(gt=0, lt=10**8, max_digits=16, decimal_places=8, allow_inf_nan=False),
    CANONICAL,
]
"""Units of one currency for one unit of another, with up to eight decimals."""


class ExchangeRatePublished(Reference, channel=FINANCE_REFERENCE):
    """The exchange rate of two currencies from a day until a rate of a later day.

    Published by Finance. A converted amount keeps the id of its rate, and no later rate changes it.
    """

    kind: ClassVar[str] = "exchange-rate"
    exchange_rate: ExchangeRateId
    """Id: base, quote and day."""
    base: Currency
    """Currency that is converted."""
    quote: Currency
    """Currency that it is converted to."""
    rate: ConversionRate
    """Units of the quote currency for one unit of the base currency."""
    source: ShortText
    """Publisher of the rate, such as the European Central Bank."""


HIGHEST_RATE = Decimal(10) ** 8
"""Maximum of a published rate, per hour."""


class GradeRate(Value):
    """Cost rate of the people of a grade."""

    grade: Identifier
    """Grade of a person, as in the person's record."""
    rate: PositiveRate
    """Rate per hour."""


class PersonRate(Value):
    """Cost rate of one person."""

    person: PersonId
    """Person whose hour has this cost."""
    rate: PositiveRate
    """Rate per hour."""


AnyRate = TypeVar("AnyRate", RoleRate, GradeRate, PersonRate)


def _within_bounds(rates: tuple[AnyRate, ...]) -> tuple[AnyRate, ...]:
    if any(rate.rate.amount > HIGHEST_RATE for rate in rates):
        raise ValueError(f"must be {HIGHEST_RATE:,} an hour at most")
    return rates


class Rates(Value):
    """The rates per hour of roles, in one currency."""

    currency: Currency
    """Currency of all rates."""
    rates: Annotated[
        tuple[RoleRate, ...],
        Field(min_length=1, max_length=200),
        DistinctBy("role"),
        AfterValidator(_within_bounds),
    ]
    """Rates by role."""

    @property
    def by_role(self) -> Mapping[str, Rate]:
        """Return the rate per hour by role."""
        return {rate.role: rate.rate for rate in self.rates}

    @property
    def every_rate(self) -> tuple[Rate, ...]:
        """Return all rates per hour of the record."""
        return tuple(each.rate for each in self.rates)


class RateCard(Rates):
    """A rate card, without its id: the bill rates of roles, for all accounts or for one."""

    account: AccountId | None = None
    """The account for which the rates are agreed; null for the standard rates."""


class RateCardPublished(RateCard, Reference, channel=FINANCE_REFERENCE):
    """A version of a rate card: the bill rate per hour of each role, in one currency.

    Published by Finance. The card of an account takes precedence over the standard card.
    """

    kind: ClassVar[str] = "rate-card"
    rate_card: Identifier
    """The account (or `standard`), a dash and the currency: `standard-EUR`."""


class PurchaseCost(Value):
    """Cost to the company of what is bought for customers."""

    kind: PurchaseKind
    """Kind of the purchase."""
    percent: Percent
    """Cost in percent of what the customer is charged, unless the line is at cost."""


class CostRates(Rates):
    """The cost rates per hour and of purchases, and the margin that a price should leave over them.

    The most specific rate of a person applies: their own, else their grade's, else their role's.
    """

    grades: Annotated[
        tuple[GradeRate, ...],
        Field(max_length=200),
        DistinctBy("grade"),
        AfterValidator(_within_bounds),
    ] = ()
    """Rates by the grade in a person's record."""
    people: Annotated[
        tuple[PersonRate, ...],
        Field(max_length=1000),
        DistinctBy("person"),
        AfterValidator(_within_bounds),
    ] = ()
    """Rates of single people."""
    purchases: Annotated[tuple[PurchaseCost, ...], Field(max_length=20), DistinctBy("kind")] = ()
    """Cost of purchases by kind; a kind that is not listed costs what the customer is charged."""
    floor: Percent = Decimal(20)
    """Minimum margin in percent that the price of an estimate should leave."""

    def percent_of(self, kind: str) -> Decimal:
        """Return what purchases of a kind cost, in percent of what the customer is charged."""
        return next((each.percent for each in self.purchases if each.kind == kind), Decimal(100))

    @property
    def every_rate(self) -> tuple[Rate, ...]:
        """Return all rates per hour: of roles, grades and people."""
        grades = (each.rate for each in self.grades)
        people = (each.rate for each in self.people)
        return (*super().every_rate, *grades, *people)


class CostRatesPublished(CostRates, Reference, channel=FINANCE_CONFIDENTIAL_REFERENCE):
    """A version of the cost rates: what hours and purchases cost the company, in one currency.

    Published by Finance in confidence.
    """

    kind: ClassVar[str] = "cost-rates"
    cost_rates: Identifier
    """Id of the record; `standard-EUR` applies to the engagements in euro."""

"""The finance service: ``python -m finance.service``.

What the customer pays is published on an open channel. Costs and margins are published on a
confidential channel and shown only to people with the role `confidential`.
"""

from zoneinfo import ZoneInfo

from chassis.domain.capability import Capability
from chassis.domain.decider import Decider
from chassis.domain.reference import Record, company_zone, reference_decider
from chassis.runtime.service import Service, run
from chassis.web.command_routes import CommandRoutes
from chassis.web.engagement_routes import EngagementRoutes
from chassis.web.reference_routes import ReferenceRoutes
from common.decider import engagement_decider
from contracts.reference import (
    AccountMappingPublished,
    AccountPublished,
    CalendarPublished,
    CompanyPublished,
    ContactPublished,
    CostRatesPublished,
    ExchangeRatePublished,
    PersonPublished,
    RateCardPublished,
    StandInsPublished,
    TaxRatePublished,
)
from contracts.roles import COMPANY
from finance.account_mappings import decisions as account_mappings
from finance.allocations import decisions as allocations
from finance.bank_accounts import decisions as bank_accounts
from finance.bank_accounts.accounts import bank_account_zone
from finance.bank_accounts.state import BankAccount
from finance.billing import decisions as billing
from finance.booked_works import decisions as booked_works
from finance.booked_works.requests import BookedWorksId
from finance.booked_works.state import BookedWorks
from finance.budgeting import decisions as budgeting
from finance.changes import decisions as changes
from finance.companies import decisions as companies
from finance.contract import decisions as contract
from finance.cost_rates import decisions as cost_rates
from finance.costing import decisions as costing
from finance.drafts import decisions as drafts
from finance.engagement import Engagement
from finance.estimates import decisions as estimates
from finance.exchange_rates import decisions as exchange_rates
from finance.exchange_rates.decisions import ExchangeRateId
from finance.importing import decisions as importing
from finance.invoices import decisions as invoices
from finance.invoices.routes import router as time_reports
from finance.ledger_groups import decisions as ledger_groups
from finance.ledger_groups.requests import LedgerGroupId
from finance.ledger_groups.state import LedgerGroup
from finance.ledgers import decisions as ledgers
from finance.ledgers.state import Ledger
from finance.moved_works import decisions as moved_works
from finance.number_series import decisions as number_series
from finance.number_series.requests import SeriesId
from finance.number_series.state import NumberSeries
from finance.payments import decisions as payments
from finance.payments.requests import BankAccountId, PaymentId
from finance.payments.state import Payment
from finance.pending.decisions import catching_up
from finance.performance import decisions as performance
from finance.periods import decisions as periods
from finance.policies import require_running
from finance.posting_exports import decisions as posting_exports
from finance.posting_exports.routes import router as postings
from finance.progress import decisions as progress
from finance.proposals import decisions as proposals
from finance.provisions import decisions as provisions
from finance.rate_cards import decisions as rate_cards
from finance.revenue import decisions as revenue
from finance.roles import ACCOUNTING, CONTROLLING, DETAILS_SEEN_BY, READERS
from finance.settlement import decisions as settlement
from finance.tax import decisions as tax
from finance.tax_rates import decisions as tax_rates
from finance.time_billing import decisions as time_billing
from finance.withholding import decisions as withholding
from finance.work import decisions as work
from finance.write_offs import decisions as write_offs

COMPUTING: tuple[Capability[Engagement], ...] = (
    progress.capability,
    contract.capability,
    work.capability,
    costing.capability,
    estimates.capability,
    proposals.capability,
    changes.capability,
    budgeting.capability,
    billing.capability,
    time_billing.capability,
    withholding.capability,
    drafts.capability,
    invoices.capability,
    tax.capability,
    allocations.capability,
    write_offs.capability,
    revenue.capability,
    settlement.capability,
    performance.capability,
    provisions.capability,
)
"""The capabilities of engagements that compute figures.

Reactions to one state are recorded in this order. Costs come before prices: a cost belongs to what
was priced last, not to what is priced at the same time.
"""

ENGAGEMENT = engagement_decider(
    "finance",
    Engagement,
    *COMPUTING,
    catching_up(COMPUTING),
    importing.capability,
    periods.capability,
    moved_works.capability,
    answering=ACCOUNTING,
    owing="project-accountant",
    account_of=lambda state: state.account,
    require_open=require_running,
    zone=lambda state, *when: company_zone(state.company, *when),
)
"""Decider of engagements."""

RATE_CARD = reference_decider(Record[RateCardPublished], rate_cards.capability)
"""Decider of rate cards."""

COMPANY_RECORD = reference_decider(
    Record[CompanyPublished],
    companies.capability,
    zone=lambda company, *_: ZoneInfo(company.time_zone),
)
"""Decider of the companies that sell."""

ACCOUNT_MAPPING = reference_decider(
    Record[AccountMappingPublished],
    account_mappings.capability,
    zone=lambda record, *when: company_zone(record.account_mapping, *when),
)
"""Decider of the accounts of general ledgers."""

TAX_RATE = reference_decider(Record[TaxRatePublished], tax_rates.capability)
"""Decider of tax rates."""

EXCHANGE_RATE = reference_decider(Record[ExchangeRatePublished], exchange_rates.capability)
"""Decider of exchange rates."""

COST_RATES = reference_decider(Record[CostRatesPublished], cost_rates.capability)
"""Decider of cost rates."""

NUMBER_SERIES: Decider[NumberSeries] = Decider(
    department="finance",
    kind="number-series",
    initial=lambda _: NumberSeries(),
    capabilities=(number_series.capability,),
)
"""Decider of the series that number invoices and credit notes."""

BANK_ACCOUNT: Decider[BankAccount] = Decider(
    department="finance",
    kind="bank-account",
    initial=lambda subject: BankAccount(bank_account=subject),
    capabilities=(bank_accounts.capability,),
    zone=lambda state, *when: bank_account_zone(state.bank_account, *when),
)
"""Decider of bank accounts."""

PAYMENT: Decider[Payment] = Decider(
    department="finance",
    kind="payment",
    initial=lambda subject: Payment(payment=subject),
    capabilities=(payments.capability,),
    zone=lambda state, *when: company_zone(state.company, *when),
)
"""Decider of payments."""

LEDGER: Decider[Ledger] = Decider(
    department="finance",
    kind="ledger",
    initial=lambda company: Ledger(company=company),
    capabilities=(ledgers.capability, posting_exports.capability),
    zone=lambda state, *when: company_zone(state.company, *when),
    begins="it begins when the first engagement of the company is registered",
)
"""Decider of the ledgers of companies."""

LEDGER_GROUP: Decider[LedgerGroup] = Decider(
    department="finance",
    kind="ledger-group",
    initial=lambda group: LedgerGroup(group=group),
    capabilities=(ledger_groups.capability,),
)
"""Decider of the groups of engagements of a ledger."""

BOOKED_WORKS: Decider[BookedWorks] = Decider(
    department="finance",
    kind="booked-works",
    initial=lambda _: BookedWorks(),
    capabilities=(booked_works.capability,),
)
"""Decider of the works of the booked months of engagements."""

SERVICE = Service(
    "finance",
    "Finance",
    description=(
        "Prices, budget, billing and revenue of an engagement, and (confidentially) its cost, "
        "earned value and margins."
    ),
    routes=(
        EngagementRoutes(ENGAGEMENT, seen_by=READERS, uploaded_by=ACCOUNTING),
        ReferenceRoutes(
            RATE_CARD, path="rate-cards", seen_by=COMPANY, listed=("account", "currency")
        ),
        ReferenceRoutes(
            COST_RATES,
            path="cost-rates",
            seen_by=(*CONTROLLING, "confidential"),
            listed=("currency",),
        ),
        ReferenceRoutes(
            COMPANY_RECORD,
            path="companies",
            seen_by=COMPANY,
            listed=("legal_name", "country", "vat_id", "base_currency", "time_zone", "rounding"),
        ),
        ReferenceRoutes(ACCOUNT_MAPPING, path="account-mappings", seen_by=READERS, listed=()),
        ReferenceRoutes(
            TAX_RATE, path="tax-rates", seen_by=COMPANY, listed=("name", "country", "percent")
        ),
        ReferenceRoutes(
            EXCHANGE_RATE,
            path="exchange-rates",
            seen_by=COMPANY,
            listed=("base", "quote", "rate", "source"),
            subject=ExchangeRateId,
        ),
        CommandRoutes(
            BANK_ACCOUNT, path="bank-accounts", seen_by=ACCOUNTING, subject=BankAccountId
        ),
        CommandRoutes(PAYMENT, path="payments", seen_by=ACCOUNTING, subject=PaymentId),
        CommandRoutes(NUMBER_SERIES, path="number-series", seen_by=CONTROLLING, subject=SeriesId),
        CommandRoutes(LEDGER, path="ledgers", seen_by=ACCOUNTING),
        CommandRoutes(
            LEDGER_GROUP, path="ledger-groups", seen_by=ACCOUNTING, subject=LedgerGroupId
        ),
        CommandRoutes(
            BOOKED_WORKS, path="booked-works", seen_by=DETAILS_SEEN_BY, subject=BookedWorksId
        ),
    ),
    reads=(
        AccountPublished,
        CalendarPublished,
        PersonPublished,
        CompanyPublished,
        ContactPublished,
        RateCardPublished,
        CostRatesPublished,
        TaxRatePublished,
        ExchangeRatePublished,
        AccountMappingPublished,
        StandInsPublished,
    ),
    routers=(time_reports, postings),
)


if __name__ == "__main__":
    run(SERVICE)

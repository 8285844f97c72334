"""Reference data: records that a department publishes whole, with versions.

Names and e-mail addresses of people are stored only here, so that a person can be erased while the
events stay unchanged. Records are effective-dated: on a day, the newest version whose
`effective_from` is not after the day is in force.
"""

from contracts.reference.delivery import (
    WORKING_WEEK,
    CalendarDetails,
    DayOff,
    PersonDetails,
    PersonPublished,
    TemplateDetails,
    TemplatePhase,
    TemplatePublished,
    TemplateTask,
    Weekday,
)
from contracts.reference.finance import (
    HIGHEST_RATE,
    BankAccount,
    CompanyDetails,
    CompanyPublished,
    ConversionRate,
    CostRates,
    CostRatesPublished,
    ExchangeRatePublished,
    GradeRate,
    NumberSeries,
    PersonRate,
    RateCard,
    RateCardPublished,
    Rates,
    TaxRateDetails,
    TaxRatePublished,
)
from contracts.reference.record import Reference, in_force
from contracts.reference.sales import (
    AccountBilling,
    AccountDetails,
    AccountFinances,
    AccountPublished,
    AccountTax,
    ContactDetails,
    ContactOfAccount,
    ContactPublished,
    ContactRole,
)

__all__ = [
    "HIGHEST_RATE",
    "WORKING_WEEK",
    "AccountBilling",
    "AccountDetails",
    "AccountFinances",
    "AccountPublished",
    "AccountTax",
    "BankAccount",
    "CalendarDetails",
    "CompanyDetails",
    "CompanyPublished",
    "ContactDetails",
    "ContactOfAccount",
    "ContactPublished",
    "ContactRole",
    "ConversionRate",
    "CostRates",
    "CostRatesPublished",
    "DayOff",
    "ExchangeRatePublished",
    "GradeRate",
    "NumberSeries",
    "PersonDetails",
    "PersonPublished",
    "PersonRate",
    "RateCard",
    "RateCardPublished",
    "Rates",
    "Reference",
    "TaxRateDetails",
    "TaxRatePublished",
    "TemplateDetails",
    "TemplatePhase",
    "TemplatePublished",
    "TemplateTask",
    "Weekday",
    "in_force",
]

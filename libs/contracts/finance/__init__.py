"""Events that Finance publishes: prices, budgets, billing and revenue, and confidential figures.

Unless a field says otherwise, amounts are in the engagement's currency. A day that no person gave
is that of the company's time zone, or of UTC where the company is unknown.
"""

from contracts.finance.billing import *
from contracts.finance.budgeting import *
from contracts.finance.changes import *
from contracts.finance.contract import *
from contracts.finance.costing import *
from contracts.finance.estimates import *
from contracts.finance.expenses import *
from contracts.finance.importing import *
from contracts.finance.invoices import *
from contracts.finance.payments import *
from contracts.finance.performance import *
from contracts.finance.periods import *
from contracts.finance.proposals import *
from contracts.finance.provisions import *
from contracts.finance.questions import *
from contracts.finance.revenue import *
from contracts.finance.settlement import *
from contracts.finance.tax import *
from contracts.finance.withholding import *
from contracts.finance.works import *
from contracts.finance.write_offs import *

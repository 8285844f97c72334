"""Events that Delivery (the PMO) publishes.

They cover estimates, plans, work, changes, acceptance and closing. A day that no person gave is
that of the account's time zone, or of UTC where it is unknown.
"""

from contracts.delivery.acceptance import *
from contracts.delivery.changes import *
from contracts.delivery.closing import *
from contracts.delivery.contract import *
from contracts.delivery.customer_inputs import *
from contracts.delivery.estimates import *
from contracts.delivery.expenses import *
from contracts.delivery.importing import *
from contracts.delivery.kickoff import *
from contracts.delivery.management import *
from contracts.delivery.planning import *
from contracts.delivery.progress import *
from contracts.delivery.questions import *
from contracts.delivery.raid import *
from contracts.delivery.requirements import *
from contracts.delivery.resources import *
from contracts.delivery.surveys import *
from contracts.delivery.timesheet import *

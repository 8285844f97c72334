"""Events that Sales publishes, from the first call to a deal won or lost.

A day that no person gave is that of the account's time zone, or of UTC where it is unknown.
"""

from contracts.sales.deal import *
from contracts.sales.importing import *
from contracts.sales.opportunity import *
from contracts.sales.proposals import *
from contracts.sales.questions import *

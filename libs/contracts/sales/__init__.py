"""Events that Sales publishes, from the first call to a deal won or lost.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from contracts.sales.deal import *
from contracts.sales.importing import *
from contracts.sales.opportunity import *
from contracts.sales.proposals import *
from contracts.sales.questions import *

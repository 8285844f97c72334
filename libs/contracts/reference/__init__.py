"""Reference data: records that a department publishes whole, with versions.

Names and e-mail addresses of people are stored only here, so that a person can be erased while the
events stay unchanged. Records are effective-dated: on a day, the newest version whose
`effective_from` is not after the day is in force.
"""

from contracts.reference.delivery import *
from contracts.reference.finance import *
from contracts.reference.legal import *
from contracts.reference.record import *
from contracts.reference.sales import *

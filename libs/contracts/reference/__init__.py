"""Reference data: records that a department publishes whole, with versions.

Names and e-mail addresses of people are stored only here, so that a person can be erased while the
events stay unchanged. Records are effective-dated: a version is in force from its `effective_from`
until that of the next version by day. A later version with the same `effective_from` replaces it.
"""

from contracts.reference.delivery import *
from contracts.reference.finance import *
from contracts.reference.legal import *
from contracts.reference.record import *
from contracts.reference.sales import *

"""Events that Legal publishes: documents drafted and signed, obligations, contracts terminated.

Days are business days (UTC) unless the person who recorded them gave another day.
"""

from contracts.legal.amendments import *
from contracts.legal.early_starts import *
from contracts.legal.ending import *
from contracts.legal.file import *
from contracts.legal.obligations import *
from contracts.legal.questions import *
from contracts.legal.signing import *
from contracts.legal.sows import *

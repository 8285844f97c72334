"""Events that Legal publishes: documents drafted and signed, obligations, contracts terminated.

A day that no person gave is that of the account's time zone, or of UTC where it is unknown.
"""

from contracts.legal.amendments import *
from contracts.legal.early_starts import *
from contracts.legal.ending import *
from contracts.legal.file import *
from contracts.legal.importing import *
from contracts.legal.obligations import *
from contracts.legal.questions import *
from contracts.legal.signing import *
from contracts.legal.sows import *

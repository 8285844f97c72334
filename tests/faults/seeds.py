"""Seeds of the long fault tests: new ones in every run, or those of an earlier run again.

Each test's name holds its seed, and the header of the run the number that all of them come from:
``make faults SEED=<number>`` repeats them.
"""

import os
import time
from random import Random

SEED = int(os.environ.get("CONCORD_FAULT_SEED") or time.time_ns() // 1_000_000 % 1_000_000)


def seeds(test: str, count: int) -> list[int]:
    """Return so many seeds for a test, which other tests do not share."""
    random = Random(f"{SEED}/{test}")
    return [random.randrange(1_000_000) for _ in range(count)]

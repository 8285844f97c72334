"""Seeds of the long fault tests: new in every run, or those of an earlier run.

A test's name contains its seed, and pytest's header the number from which all seeds are drawn:
``make faults SEED=<number>`` repeats a run.
"""

import os
import time
from random import Random

SEED = int(os.environ.get("CONCORD_FAULT_SEED") or time.time_ns() // 1_000_000 % 1_000_000)


def seeds(test: str, count: int) -> list[int]:
    """Return `count` seeds for a test, different from those of other tests."""
    random = Random(f"{SEED}/{test}")
    return [random.randrange(1_000_000) for _ in range(count)]

"""The seeds of engagements: 20 for each run of the tests, the others for the long ones."""

import pytest

SEEDS = [*range(20), *(pytest.param(seed, marks=pytest.mark.long) for seed in range(20, 200))]

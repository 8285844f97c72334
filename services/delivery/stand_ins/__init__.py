"""Stand-ins, who act for another person for some time: reference data."""

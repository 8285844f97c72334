"""The allocations of a person over all engagements, compared with the hours that the person has."""

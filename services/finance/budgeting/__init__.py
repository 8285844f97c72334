"""The budget: set from the signed contract, changed by signed amendments."""

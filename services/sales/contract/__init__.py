"""The contract, as Legal and Finance published it."""

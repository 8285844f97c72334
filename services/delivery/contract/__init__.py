"""The contract, as Legal and Finance published it, and Delivery's review of it."""

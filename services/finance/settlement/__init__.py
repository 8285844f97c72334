"""Settlement of the account."""

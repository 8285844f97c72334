"""Groups of a ledger: some of the company's engagements, asked together to book a month."""

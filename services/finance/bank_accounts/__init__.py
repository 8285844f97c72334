"""Bank accounts of companies, and the statements of their banks."""

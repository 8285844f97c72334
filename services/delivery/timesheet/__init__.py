"""Time entries and expenses, and their approval."""

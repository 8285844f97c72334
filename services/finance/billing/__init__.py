"""The billing schedule: entries that become due, and drafts of invoices."""

"""Tax on invoices and credit notes, and the parties that they name."""

"""Series of document numbers: invoices and credit notes of a company in a year."""

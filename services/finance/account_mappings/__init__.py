"""Account mappings: the accounts of a general ledger to which postings go."""

"""Questions and answers between departments, and to contacts of the customer."""

"""Write-offs: amounts on invoices that the customer does not have to pay any more."""

"""What estimates, changes, the budget and approved work cost. Confidential."""

"""Amendments: the contract documents of change orders; each change has one."""

"""Obligations of the contract: what a party owes beside delivering and paying."""

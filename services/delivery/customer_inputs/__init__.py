"""Inputs that the customer has to provide, and delays that the customer caused."""

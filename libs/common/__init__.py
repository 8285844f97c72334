"""Capabilities that every department has, and the parts of the state that belong to them."""

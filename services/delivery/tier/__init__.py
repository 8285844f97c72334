"""The method tier: how much method is applied to an engagement."""

"""The register that numbers invoices."""

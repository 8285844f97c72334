"""Contents of documents, kept by their hash."""

"""Documents that Legal published, which commands of every department may name."""

"""The sale, as Sales published it: opportunity, proposals, deal won or lost."""

"""A training on good parts alone: it reads and checks like every training; split, quote and learning are different."""

"""A training on good parts alone: reads and checks as every training; split, quote and learning are its own."""

"""One of each thing that a newcomer adds, added as a stranger would: one file, one line of a literal table."""

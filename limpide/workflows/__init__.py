"""One file a verb: the order in which things happen, and nothing else."""

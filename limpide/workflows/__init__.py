"""One file per verb: the order of its steps, and nothing else."""

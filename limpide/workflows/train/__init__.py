"""One training: `training.py` puts the phases in order, each of which is one file here."""

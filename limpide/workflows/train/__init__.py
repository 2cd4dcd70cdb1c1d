"""One training: `training.py` puts the phases in order; each phase is one file here."""

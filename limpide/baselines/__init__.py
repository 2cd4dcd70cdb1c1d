"""The simpler models that a network is compared with."""

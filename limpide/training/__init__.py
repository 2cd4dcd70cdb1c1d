"""Fitting: the loop, the state it changes, and what prepares and follows it."""

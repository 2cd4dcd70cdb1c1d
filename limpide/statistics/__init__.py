"""Scores and their uncertainty, on plain arrays. No torch."""

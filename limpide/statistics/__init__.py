"""Scores, and how sure they are, on plain arrays. No torch."""

"""Sentences, numbers and pieces of HTML for a reader, in the reader's language. No torch, no NumPy."""

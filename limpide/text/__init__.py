"""Sentences, numbers and pieces of HTML as a person reads them, in his language. No torch, no NumPy."""

"""The nouns that everything else passes on: Recipe, Run, events, Finding, errors. No torch, no NumPy."""

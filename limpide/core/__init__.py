"""The types that all other packages share: Recipe, Run, events, Finding, errors. No torch, no NumPy."""

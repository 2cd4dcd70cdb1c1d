"""What is said of a model and of a folder, from numbers alone: one audit a file, a function from Evidence to a Finding.

Which of them are run, when and in which order: judging/registry.py.
"""

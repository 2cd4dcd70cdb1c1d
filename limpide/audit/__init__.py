"""Statements about a model or a folder, made from numbers alone: one audit a file, a function from Evidence to a
Finding.

Which of them are run, when and in which order: judging/registry.py.
"""

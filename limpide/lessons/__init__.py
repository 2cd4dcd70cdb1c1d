"""The course pages: short programs over the public API, in the order in which they are read. `limpide lesson` lists and
runs them.

Each is a file to read first and to run afterwards, and to change: copy it. The first line of its docstring is its
title.
"""

"""Judging a model: the table of audits (`registry.py`), what they look at (`subject.py`), and those audits that need
more than the answers on test images. Importing this room loads no torch.
"""

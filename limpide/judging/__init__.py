"""Judging a model: the table of audits (`registry.py`), what they examine (`subject.py`), and the audits that need more
than the answers on test images. Importing this package does not load torch.
"""

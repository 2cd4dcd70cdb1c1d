"""Where images come from and how bytes become pixels. It imports only NumPy and Pillow: prediction needs this package
without torch.
"""

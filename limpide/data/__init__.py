"""Where images come from and how bytes become pixels. NumPy and Pillow only: predicting needs this room
without torch.
"""

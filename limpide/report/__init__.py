"""The output for people: terminal, pages and pictures, rendered from Runs and Findings. It computes nothing and does
not use torch.
"""

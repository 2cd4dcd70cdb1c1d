"""What people read: terminal, pages and pictures, rendered from Runs and Findings. Nothing is computed
here. No torch.
"""

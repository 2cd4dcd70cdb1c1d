"""What a Python program imports from limpide: scikit-learn's words over the workflows, and `see`."""

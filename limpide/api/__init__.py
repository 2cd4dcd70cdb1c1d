"""The Python interface of limpide: the workflows with scikit-learn's names, and `see`."""

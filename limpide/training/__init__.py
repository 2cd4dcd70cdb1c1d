"""Training: the loop, the state that it changes, and the steps before and after it."""

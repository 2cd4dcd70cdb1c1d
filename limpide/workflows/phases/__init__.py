"""The phases of a training, one file each, in the order in which workflows/train.py names them."""

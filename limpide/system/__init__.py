"""The machine under the program: files, processes, signals, energy. No torch, no NumPy."""

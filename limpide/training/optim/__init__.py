"""How the weights change: one optimizer a file, and the schedules of the learning rate."""

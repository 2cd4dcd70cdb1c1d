"""From a trained network to one sealed file that anybody can run."""

"""From a trained network to one sealed file that runs on other machines."""

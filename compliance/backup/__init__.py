"""Copies of this host's data: taken, tried and laid back, on the host as root (decision 81)."""

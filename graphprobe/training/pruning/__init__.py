"""Pruning of real networks: the cutter, its proof, sensitivity."""

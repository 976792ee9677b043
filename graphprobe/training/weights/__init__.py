"""Weights: checkpoints, parameter files, downloads."""

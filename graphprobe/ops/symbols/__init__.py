"""Sizes as products of numbers and symbols: what a target shape is when it is computed."""

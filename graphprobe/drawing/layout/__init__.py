"""Coordinates: from folded graphs to scenes."""

"""Scenes on pages, and what a page shows."""

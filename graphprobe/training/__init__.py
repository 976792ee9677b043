"""The only part that trains."""

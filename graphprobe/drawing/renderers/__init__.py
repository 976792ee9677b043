"""One file a format: each takes a drawing and gives bytes, and is found by its suffix."""

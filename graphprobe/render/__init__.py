"""One scene laid out once, and one file a format that paints it."""

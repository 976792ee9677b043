"""One file a format; each defines DATASET."""

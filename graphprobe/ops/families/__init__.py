"""The operators, one file a family; each defines FAMILY."""

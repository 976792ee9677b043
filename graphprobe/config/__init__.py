"""The schemas of the yaml files, read with every problem named at once."""

"""Findings about programs: pairs, channels, pruning, regexes."""

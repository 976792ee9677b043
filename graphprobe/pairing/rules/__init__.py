"""The rules that propose pairs, one file a rule; each defines RULE."""

"""The command line: one file a command; parse, one library call, render, write."""

import gc

# Nearly all objects of a fast command live until its end; looking for garbage among them again
# and again takes a tenth of its time. Set before anything else is imported.
gc.set_threshold(100_000, 50, 50)

"""The sizes of every value for one size of the input, and the contents of small ones."""

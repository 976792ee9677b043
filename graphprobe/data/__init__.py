"""Data sets, augmentations, batches and metrics: numpy and Pillow, never Paddle.

A format is one file in `formats`. `open_data` (in `open.py`) opens any of them from one line of
text, `transforms` changes samples, `batches` turns them into the arrays that a program is fed,
`metrics` measures outputs.
"""

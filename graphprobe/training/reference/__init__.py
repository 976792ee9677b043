"""A slow executor of programs in numpy, for one purpose: to prove what is converted.

It follows what each operator is defined to do, by the numbers that the source file holds, and
shares no code with Paddle or with the writer that it is held against.
"""

from graphprobe.training.reference.executor import Outcome, run_reference

__all__ = ["Outcome", "run_reference"]

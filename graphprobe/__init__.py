"""graphprobe: distillation pairs and prunable convolutions of PaddlePaddle programs, with reasons.

Importing this package imports neither paddle nor anything heavy.
"""

from graphprobe.version import __version__

__all__ = ["__version__"]

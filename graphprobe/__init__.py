"""graphprobe: distillation pairs and prunable convolutions of PaddlePaddle programs, with reasons.

Importing this package imports neither paddle nor anything heavy.
"""

# Paddle's libraries bring a zlib of their own. Where Python's is loaded after them, it binds to
# theirs and crashes on the first gzip, zip or PNG file; loaded before them, both work.
import zlib  # noqa: F401

from graphprobe.model import Model
from graphprobe.version import __version__

__all__ = ["Model", "__version__"]

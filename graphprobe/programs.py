"""Turn a PROGRAM argument (file, folder, zoo name, user code) into a Program."""

from __future__ import annotations

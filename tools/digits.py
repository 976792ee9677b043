"""Write graphprobe/data/formats/digits.npz, the handwritten digits of `digits` and `digits_seg`.

They are the 1797 of scikit-learn, which has to be installed: .venv of `make install` has it.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np

TARGET = Path(__file__).resolve().parents[1] / "graphprobe" / "data" / "formats" / "digits.npz"


def make() -> bytes:
    """The file: images uint8 [1797, 8, 8] with ink from 0 to 16, and classes uint8 [1797]."""
    from sklearn.datasets import load_digits

    found = load_digits()
    arrays = {"images": found.images.astype(np.uint8), "classes": found.target.astype(np.uint8)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0))
            # one date, so that the same digits make the same file
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            file.writestr(entry, member.getvalue(), zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


def main() -> None:
    TARGET.write_bytes(make())
    print(f"wrote {TARGET.name}: {TARGET.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()

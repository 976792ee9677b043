"""Small files of weights, archives, images, annotations and configs: read, and damaged."""

from __future__ import annotations

import io
import os
import pickle
import random
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from mutate import mutate_bytes
from PIL import Image

from graphprobe.data.images import read_image
from graphprobe.data.open import open_data
from graphprobe.errors import GraphprobeError
from graphprobe.training.weights.arrays import read_arrays
from graphprobe.training.weights.lod_tensor import read_combined
from graphprobe.training.weights.pdparams import read_pdparams
from graphprobe.training.weights.unpack import unpack
from graphprobe.yaml_io import read_yaml


class Wrong(Exception):
    """What none may do: a fault of its own, a file outside, text that acts on a terminal."""


def own_folder() -> Path:
    """A folder of this process, in memory where there is one."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it
    base = memory if memory.is_dir() else Path(tempfile.gettempdir())
    folder = base / f"graphprobe-fuzz-{os.getpid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def read_file(data: bytes) -> bool:
    """Read a file that is no program; its first byte says by which reader.

    Raises:
        Wrong: an archive wrote outside its folder.
    """
    kind, content = _kind(data[:1]), data[1:]
    folder = own_folder() / "files"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    path = folder / f"file{kind}"
    path.write_bytes(content)
    try:
        READERS[kind](path)
    except GraphprobeError:
        taken = False
    else:
        taken = True
    others = {p.name for p in folder.parent.iterdir()} - {"files", "model"}
    beside = {p.name for p in folder.iterdir() if not p.name.startswith(path.name)}
    if others or beside:
        raise Wrong(f"files outside: {sorted(others | beside)[:3]}")
    return taken


def _open_voc(path: Path) -> None:
    """One annotation in a folder as VOC lays it out."""
    root = path.with_name(f"{path.name}.voc")
    for name in ("Annotations", "JPEGImages", "ImageSets/Main"):
        (root / name).mkdir(parents=True)
    (root / "ImageSets" / "Main" / "train.txt").write_text("a\n")
    Image.new("RGB", (8, 9)).save(root / "JPEGImages" / "a.jpg")
    path.replace(root / "Annotations" / "a.xml")
    open_data(f"voc:{root}?split=train")


READERS: dict[str, Callable[[Path], object]] = {
    ".npz": read_arrays,
    ".pdparams": read_pdparams,
    ".tar.gz": unpack,
    ".tar": unpack,
    ".yaml": read_yaml,
    ".png": read_image,
    ".jpg": read_image,
    ".tif": read_image,
    ".webp": read_image,
    ".gif": read_image,
    ".bmp": read_image,
    ".ppm": read_image,
    ".xml": _open_voc,
    ".json": lambda path: open_data(f"coco:{path}?images={path.parent}"),
    ".pdiparams": lambda path: read_combined(path, ["a", "b"]),
}
_KINDS = tuple(READERS)


def _kind(first: bytes) -> str:
    return _KINDS[(first[0] if first else 0) % len(_KINDS)]


def file_seeds() -> list[bytes]:
    """One or a few small files for each reader, each behind the byte that names it."""
    made = [*_weights(), *_archives(), *_pictures(), *_texts()]
    return [bytes((_KINDS.index(kind),)) + content for kind, content in made]


def _weights() -> list[tuple[str, bytes]]:
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.int64)}
    plain, packed = io.BytesIO(), io.BytesIO()
    np.savez(plain, **arrays)  # type: ignore[arg-type]
    np.savez_compressed(packed, **arrays)  # type: ignore[arg-type]
    named = {**arrays, "StructuredToParameterName@@": {"a": "conv2d_0.w_0"}}
    stored = b"".join(_tensor(array) for array in arrays.values())
    return [
        (".npz", plain.getvalue()),
        (".npz", packed.getvalue()),
        *((".pdparams", pickle.dumps(named, protocol)) for protocol in (0, 2, 4)),
        (".pdiparams", stored),
    ]


def _tensor(array: np.ndarray) -> bytes:
    """One record of Paddle's format: versions, no sequence levels, description, numbers."""
    kind = {"float32": 5, "int64": 3}[str(array.dtype)]
    desc = bytes((8, kind)) + b"".join(bytes((16, size)) for size in array.shape)
    return bytes(16) + len(desc).to_bytes(4, "little") + desc + array.tobytes()


def _archives() -> list[tuple[str, bytes]]:
    made = []
    for kind, mode in ((".tar.gz", "w:gz"), (".tar", "w")):
        for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
            out = io.BytesIO()
            with tarfile.open(fileobj=out, mode=mode, format=form) as archive:  # type: ignore[call-overload]
                for name in ("folder/a", "b" * 120):
                    info = tarfile.TarInfo(name)
                    info.size = 9
                    archive.addfile(info, io.BytesIO(b"123456789"))
            made.append((kind, out.getvalue()))
    return made


def _pictures() -> list[tuple[str, bytes]]:
    pixels = Image.fromarray(np.arange(8 * 9 * 3, dtype=np.uint8).reshape(8, 9, 3))
    forms = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WEBP", ".gif": "GIF",
             ".bmp": "BMP", ".ppm": "PPM"}  # fmt: skip
    made = []
    for kind, form in forms.items():
        for picture in (pixels, pixels.convert("L")):
            out = io.BytesIO()
            picture.save(out, form)
            made.append((kind, out.getvalue()))
    return made


def _texts() -> list[tuple[str, bytes]]:
    box = "<bndbox><xmin>1</xmin><ymin>2</ymin><xmax>5</xmax><ymax>6</ymax></bndbox>"
    size = "<size><width>8</width><height>9</height><depth>3</depth></size>"
    item = f"<object><name>x</name>{box}</object>"
    xml = f"<annotation><filename>a.jpg</filename>{size}{item}</annotation>"
    coco = b'{"images": [{"id": 1, "file_name": "a", "width": 2, "height": 3}], "categories": [], '
    coco += (
        b'"annotations": [{"id": 1, "image_id": 1, "bbox": [0, 0.5, 1e1, 2]}], "info": {"a": null}}'
    )
    yaml = b"version: 1\nkind: train\nstudent: {program: 'zoo:x', weights: null}\ntrain:\n"
    yaml += b"  epochs: 3\n  rate: 1e-3  # so\n  sizes: [1, 2, 0x3]\n  text: |\n    a\n    b\n"
    return [(".xml", xml.encode()), (".json", coco), (".yaml", yaml)]


def mutate_file(data: bytes, other: bytes, rng: random.Random) -> bytes:
    """Damage bytes, those of an archive's members too, and keep the byte that names the reader."""
    kind, content = _kind(data[:1]), data[1:]
    for _ in range(1 + min(rng.getrandbits(2), rng.getrandbits(2))):
        inside = _INSIDE.get(kind)
        if inside is not None and rng.randrange(3):
            content = inside(content, rng)
        else:
            content = mutate_bytes(content, other[1:], rng)
    return data[:1] + content


def _inside_zip(content: bytes, rng: random.Random) -> bytes:
    """Damage a member before it is packed, so that its checksum is right."""
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = {info.filename: archive.read(info) for info in archive.infolist()[:20]}
    except Exception:  # noqa: BLE001 - damaged already, in any way
        return content
    if not members:
        return content
    name = rng.choice(list(members))
    members[name] = mutate_bytes(members[name][:4096], b"descr<f8(1,)Fortran", rng)
    with zipfile.ZipFile(out, "w", rng.choice((0, 8, 12, 14))) as archive:
        for key, value in members.items():
            archive.writestr(key, value)
    return out.getvalue()


def _inside_tar(content: bytes, rng: random.Random) -> bytes:
    """Damage a header and correct its checksum."""
    packed = content[:2] == b"\x1f\x8b"
    try:
        text = bytearray(zlib.decompress(content, 31) if packed else content)
    except zlib.error:
        return content
    starts = [at for at in range(0, len(text), 512) if text[at + 257 : at + 262] == b"ustar"]
    if starts:
        at = rng.choice(starts)
        field, size = rng.choice(((0, 100), (124, 12), (156, 1), (157, 100), (257, 8), (345, 155)))
        value = rng.choice(_TAR_VALUES)[:size].ljust(size if rng.getrandbits(1) else 0, b"\0")
        text[at + field : at + field + len(value)] = value
        text[at + 148 : at + 156] = b" " * 8
        text[at + 148 : at + 156] = b"%06o\0 " % (sum(text[at : at + 512]) % 2**18)
    if not packed:
        return bytes(text)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packer.compress(bytes(text)) + packer.flush()


_TAR_VALUES = (
    *(b"../../outside", b"/tmp/outside", b"..", b"a/../../b", b"", b"\xff" * 90),
    *(b"77777777777", b"\x80" + b"\xff" * 11, b"-1"),
    *(bytes((kind,)) for kind in b"xg1236SLK"),
)


def _inside_png(content: bytes, rng: random.Random) -> bytes:
    """Damage a chunk and correct its checksum."""
    at, chunks = 8, []
    while at + 12 <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + size]))
        at += 12 + size
    if not chunks:
        return content
    index = rng.randrange(len(chunks))
    name, body = chunks[index]
    chunks[index] = (name, mutate_bytes(body[:4096], b"\0\0\0\1\xff\xff", rng))
    if rng.randrange(4) == 0:
        chunks.insert(index, rng.choice(chunks))
    return content[:8] + b"".join(
        len(b).to_bytes(4, "big") + n + b + zlib.crc32(n + b).to_bytes(4, "big") for n, b in chunks
    )


_INSIDE: dict[str, Callable[[bytes, random.Random], bytes]] = {
    ".npz": _inside_zip,
    ".tar": _inside_tar,
    ".tar.gz": _inside_tar,
    ".png": _inside_png,
}

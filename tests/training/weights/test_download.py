"""Weights from a server: whole, broken off, without ranges, changed, wrong, missing."""

from __future__ import annotations

import errno
import hashlib
import io
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from graphprobe.errors import CheckpointError
from graphprobe.training.weights import transfer
from graphprobe.training.weights.download import cache_folder, download, is_url, parse_url
from graphprobe.training.weights.read import locate, read_weights

CONTENT = bytes(range(256)) * 4096
SUM = hashlib.sha256(CONTENT).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Serves `files`; after `limit` bytes of an answer the connection is cut, `cuts` times."""

    files: dict[str, bytes]
    ranges, limit, cuts, tag = True, 0, 0, '"one"'
    asked: list[str | None]

    def do_GET(self) -> None:
        data = self.files.get(self.path)
        if self.path == "/moved.npz":
            self.send_response(302)
            self.send_header("Location", "ftp://example.org/moved.npz")
            self.end_headers()
        elif data is None:
            self.send_error(404)
        else:
            self._send(data)

    def _send(self, data: bytes) -> None:
        kind, wanted = type(self), self.headers.get("Range")
        kind.asked.append(wanted)
        start = 0
        if kind.ranges and wanted and self.headers.get("If-Range", kind.tag) == kind.tag:
            start = int(wanted.removeprefix("bytes=").removesuffix("-"))
        if start >= len(data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(data)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        if kind.tag:
            self.send_header("ETag", kind.tag)
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        cut = kind.limit and kind.cuts > 0
        self.wfile.write(data[start : start + kind.limit] if cut else data[start:])
        if cut:
            kind.cuts -= 1
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, type[Handler]]]:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr(transfer.time, "sleep", lambda _: None)
    kind = type("Kind", (Handler,), {"files": {"/w.bin": CONTENT}, "asked": []})
    found = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    thread = threading.Thread(target=found.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{found.server_port}", kind
    found.shutdown()
    found.server_close()
    thread.join()


def left(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def test_once_and_then_from_the_cache(server, capsys):
    base, kind = server
    path = download(f"{base}/w.bin")
    assert path.read_bytes() == CONTENT and path.is_relative_to(cache_folder())
    assert f"{base}/w.bin: no checksum was given; it is #sha256={SUM}" in capsys.readouterr().err
    assert download(f"{base}/w.bin#sha256={SUM.upper()}") == path and len(kind.asked) == 1
    assert left(path.parent) == {"w.bin", "w.bin.sha256"}
    assert locate(f"{base}/w.bin") == path and not capsys.readouterr().err


def test_a_broken_connection_is_taken_up_where_it_broke(server, capsys):
    base, kind = server
    kind.limit, kind.cuts = 300_000, 3
    assert download(f"{base}/w.bin#sha256={SUM}").read_bytes() == CONTENT
    assert kind.asked == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert "it ended at 300,000 of 1,048,576 bytes; trying again" in capsys.readouterr().err


def test_a_broken_download_is_taken_up_by_the_next_run(server):
    base, kind = server
    kind.limit, kind.cuts = 1, 10**6
    kind.files["/w.bin"] = CONTENT[:3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_TRIES", 0)
        with pytest.raises(CheckpointError) as caught:
            download(f"{base}/w.bin")
    assert "run the command again: it goes on from there" in str(caught.value)
    kind.cuts = 0
    assert download(f"{base}/w.bin").read_bytes() == CONTENT[:3]
    assert kind.asked[-1] == f"bytes={len(kind.asked) - 1}-"


def test_a_server_without_ranges_sends_all_again(server):
    base, kind = server
    kind.ranges, kind.limit, kind.cuts = False, 500_000, 2
    assert download(f"{base}/w.bin#sha256={SUM}").read_bytes() == CONTENT


def test_a_file_that_changed_meanwhile_is_not_mixed(server):
    base, kind = server
    kind.limit, kind.cuts = 400_000, 1
    folder = download_part(base, kind)
    kind.files["/w.bin"], kind.tag, kind.cuts = CONTENT[::-1], '"two"', 0
    assert download(f"{base}/w.bin").read_bytes() == CONTENT[::-1]
    assert left(folder) == {"w.bin", "w.bin.sha256"}


def download_part(base: str, kind: type[Handler]) -> Path:
    """Leave a part behind, as a killed process does."""
    tries = transfer._append

    def once(answer, part):
        tries(answer, part)
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "_append", once)
        with pytest.raises(KeyboardInterrupt):
            download(f"{base}/w.bin")
    (part,) = cache_folder().rglob("*.part")
    return part.parent


def test_a_part_that_is_whole_already(server):
    base, kind = server
    download_part(base, kind)
    assert download(f"{base}/w.bin#sha256={SUM}").read_bytes() == CONTENT
    assert kind.asked == [None, f"bytes={len(CONTENT)}-"]


def test_another_checksum_keeps_nothing(server):
    base, kind = server
    with pytest.raises(CheckpointError, match=f"its sha256 is {SUM}, not {'0' * 64}"):
        download(f"{base}/w.bin#sha256={'0' * 64}")
    assert not [path for path in cache_folder().rglob("w.bin*") if path.is_file()]
    # What the cache holds is held against a checksum that comes later.
    download(f"{base}/w.bin")
    kind.files["/w.bin"] = b"new"
    new = hashlib.sha256(b"new").hexdigest()
    assert download(f"{base}/w.bin#sha256={new}").read_bytes() == b"new"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{base}/none.npz", "the server answers 404 Not Found; check the address"),
        ("{base}/moved.npz", "ftp"),
        ("{base}/", "names no file; as https://HOST/FILE.tar"),
        ("{base}/w.bin#md5=1", "#md5=1 is no checksum; write #sha256="),
        ("ftp://example.org/w", "ftp is not downloaded; name an http or https address"),
        ("http://me:secret@example.org/w", "example.org: holds a password"),
    ],
)
def test_one_line_for_what_cannot_be_had(server, text: str, said: str):
    with pytest.raises(CheckpointError) as caught:
        download(text.format(base=server[0]))
    assert said in str(caught.value) and "secret" not in str(caught.value)


def test_a_server_that_is_not_there(server):
    with pytest.raises(CheckpointError, match=r"broke off after 0 bytes \(.*refused\)"):
        download("http://127.0.0.1:1/w.npz")


def test_no_room(server, monkeypatch):
    def full(*_: object) -> str:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(transfer, "_copy", full)
    with pytest.raises(CheckpointError, match="no space left in .*; make room"):
        download(f"{server[0]}/w.bin")


def test_a_published_archive_is_unpacked(server):
    base, kind = server
    kind.files["/w.tgz"] = archive({"net/a": b"1", "net/._a": b"2", "net/b": b"3"})
    folder = download(f"{base}/w.tgz")
    assert folder.name == "net" and left(folder) == {"a", "b"}
    kind.files["/w.tgz"] = archive({"net/c": b"1"})
    new = hashlib.sha256(kind.files["/w.tgz"]).hexdigest()
    assert left(download(f"{base}/w.tgz#sha256={new}")) == {"c"}


@pytest.mark.parametrize("name", ["../out", "/usr/out", "net/../../out"])
def test_an_archive_stays_in_its_folder(server, name: str, tmp_path: Path):
    base, kind = server
    kind.files["/w.tar"] = archive({name: b"1"})
    with pytest.raises(CheckpointError, match="lies outside of it"):
        download(f"{base}/w.tar")
    assert not list(tmp_path.rglob("out"))


def test_a_damaged_archive(server):
    base, kind = server
    whole = archive({"net/a": bytes(np.random.default_rng(0).bytes(5000))})
    kind.files["/w.tgz"] = whole[: len(whole) // 2]
    with pytest.raises(CheckpointError, match="cannot be unpacked"):
        download(f"{base}/w.tgz")
    assert not list(cache_folder().rglob("a"))


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("net/link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return stream.getvalue()


def test_addresses_and_paths():
    assert is_url("HTTPS://a/b") and is_url("file:///a") and not is_url("C:/a") and not is_url("a")
    found = parse_url(f"https://h/a%20b/x.tar?v=1#sha256={SUM}")
    assert (found.url, found.sha256, found.name) == ("https://h/a%20b/x.tar?v=1", SUM, "x.tar")


def test_a_local_archive_is_told_what_to_do(tmp_path: Path):
    (tmp_path / "w.tar").write_bytes(archive({"a": b"1"}))
    with pytest.raises(CheckpointError, match="is an archive; name what it unpacks to"):
        read_weights(tmp_path / "w.tar", {})


def test_progress_of_what_takes_longer_than_two_seconds(monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(transfer.time, "monotonic", lambda: now[0])
    with transfer._Progress("w.tar", 80_000_000) as progress:
        for now[0] in (0.5, 1.9, 2.5, 3.0, 12.6):
            progress.show(int(now[0] * 4_000_000))
    assert capsys.readouterr().err.splitlines() == [
        "w.tar: 10.0 of 80.0 MB (12%)",
        "w.tar: 50.4 of 80.0 MB (63%)",
    ]

"""Weights from a server: whole, broken off, without ranges, changed, wrong, missing."""

from __future__ import annotations

import errno
import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

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
    ranges, limit, cuts, tag, length = True, 0, 0, '"one"', True
    asked: list[str | None]

    def do_GET(self) -> None:
        data = self.files.get(self.path)
        if self.path == "/moved.npz":
            self.send_response(302)
            self.send_header("Location", "ftp://example.org/moved.npz")
            self.end_headers()
        elif self.path == "/away.npz":
            self.send_response(302)
            self.send_header("Location", "http://[::1/w.npz")
            self.end_headers()
        elif self.path == "/nothing.npz":
            self.send_response(204)
            self.end_headers()
        elif self.path.startswith("/part"):  # of a file that was asked for whole
            self.send_response(206)
            if "?" in self.path:
                self.send_header("Content-Range", self.path.partition("?")[2].replace("+", " "))
            self.send_header("Content-Length", "3")
            self.end_headers()
            self.wfile.write(b"abc")
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
        if kind.length:
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


def test_once_and_then_from_the_cache(server, caplog):
    base, kind = server
    path = download(f"{base}/w.bin")
    assert path.read_bytes() == CONTENT and path.is_relative_to(cache_folder())
    assert f"{base}/w.bin: no checksum was given; it is #sha256={SUM}" in caplog.text
    caplog.clear()
    assert download(f"{base}/w.bin#sha256={SUM.upper()}") == path and len(kind.asked) == 1
    assert left(path.parent) == {"w.bin", "w.bin.sha256"}
    assert locate(f"{base}/w.bin") == path and not caplog.text


def test_a_broken_connection_is_taken_up_where_it_broke(server, caplog):
    base, kind = server
    kind.limit, kind.cuts = 300_000, 3
    assert download(f"{base}/w.bin#sha256={SUM}").read_bytes() == CONTENT
    assert kind.asked == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]
    assert "it ended at 300,000 of 1,048,576 bytes; trying again" in caplog.text


def test_a_broken_download_is_taken_up_by_the_next_run(server):
    base, kind = server
    kind.limit, kind.cuts = 1, 10**6
    kind.files["/w.bin"] = CONTENT[:3]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transfer, "MOST_FAILURES", 2)
        with pytest.raises(CheckpointError) as caught:
            download(f"{base}/w.bin")
    assert "run the command again: it goes on from there" in str(caught.value)
    kind.cuts = 0
    assert download(f"{base}/w.bin").read_bytes() == CONTENT[:3]
    assert kind.asked == [None, "bytes=1-", "bytes=2-"]


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

    def once(*args):
        tries(*args)
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
        ("{base}/nothing.npz", "the server answers 204 and no file; check the address"),
        ("{base}/part.npz", "it sent another part than was asked for"),
        ("{base}/part.npz?bytes+0-2/9", "it sent another part than was asked for"),
        ("{base}/part.npz?bytes+5-7/8", "it sent another part than was asked for"),
        ("{base}/", "names no file; as https://HOST/FILE.tar"),
        ("{base}/w.bin#md5=1", "#md5=1 is no checksum; write #sha256="),
        ("ftp://example.org/w", "ftp is not downloaded; name an http or https address"),
        ("http://me:secret@example.org/w", "example.org: holds a password"),
        ("http://me:secret@[::1/w", "http://[::1/w: is no address"),
        ("http://example.org:99999/w", "is no address (Port out of range"),
        ("http://a..b/w", "is no address"),
        ("http://example.org/gewichte für alle", "holds a password or a space"),
        ("{base}/für.npz", "not ASCII; write it as http://127.0.0.1"),
        ("{base}/f\udcffr.npz", "/f%FFr.npz"),
        ("http://a\udcff.org/w.npz", "is no address"),
        ("{base}/f\x1b[2Jr.npz", "a password or a space"),
        ("http://bücher.example/w.npz", "write its host as xn--bcher-kva.example"),
        ("{base}/away.npz", "leads to no address"),
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


def test_a_size_that_is_too_large(server, monkeypatch):
    base, kind = server
    monkeypatch.setattr(transfer, "MOST_BYTES", 1000)
    for kind.length in (True, False):  # told at once, or found out
        with pytest.raises(CheckpointError, match="the server sends more than 1,000 bytes"):
            download(f"{base}/w.bin")
        assert not list(cache_folder().rglob("*.part"))


def test_no_length_is_fine(server):
    base, kind = server
    kind.length = False
    assert download(f"{base}/w.bin").read_bytes() == CONTENT


def test_a_server_that_is_too_slow(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(transfer.time, "monotonic", lambda: now[0])
    pace = transfer._Pace("w.tar", None)
    for now[0] in (1.0, 30.0, 61.0, 122.0):  # 10 kB a second
        assert not pace.too_slow(int(now[0] * 10_000))
    now[0] = 183.0
    assert pace.too_slow(1_220_500)
    now[0] = transfer.MOST_SECONDS + 1
    assert pace.too_slow(10**12)


def test_attempts_that_bring_next_to_nothing_end(server):
    base, kind = server
    kind.limit, kind.cuts = 1, 10**6
    with pytest.raises(CheckpointError, match="broke off after 4 bytes"):
        download(f"{base}/w.bin")
    assert len(kind.asked) == transfer.MOST_FAILURES


def test_a_head_that_does_not_end():
    release = threading.Event()
    with pytest.raises(TimeoutError, match="no answer in 0 seconds"):
        transfer._within(0.01, release.wait)
    release.set()


def test_https_never_leads_to_http():
    request = urllib.request.Request("https://example.org/a")
    redirect = transfer._Redirects().redirect_request
    with pytest.raises(CheckpointError, match="leads from https to http; name an https address"):
        redirect(request, None, 302, "Found", {}, "http://example.org/b")
    assert redirect(request, None, 302, "Found", {}, "https://example.org/b")
    plain = urllib.request.Request("http://example.org/a")
    assert redirect(plain, None, 302, "Found", {}, "https://example.org/b")


def test_the_bytes_in_the_cache_are_held_against_their_sum(server, caplog):
    base, kind = server
    path = download(f"{base}/w.bin")
    for text in (f"{base}/w.bin#sha256={SUM}", f"{base}/w.bin"):
        path.write_bytes(b"changed" + CONTENT[7:])
        assert download(text).read_bytes() == CONTENT
    assert "has changed since it was downloaded" in caplog.text and len(kind.asked) == 3


def test_addresses_and_paths():
    assert is_url("HTTPS://a/b") and is_url("file:///a") and not is_url("C:/a") and not is_url("a")
    found = parse_url(f"https://h/a%20b/x.tar?v=1#sha256={SUM}")
    assert (found.url, found.sha256, found.name) == ("https://h/a%20b/x.tar?v=1", SUM, "x.tar")


def test_a_local_archive_is_told_what_to_do(tmp_path: Path):
    (tmp_path / "w.tar").write_bytes(b"")
    with pytest.raises(CheckpointError, match="is an archive; name what it unpacks to"):
        read_weights(tmp_path / "w.tar", {})


def test_progress_of_what_takes_longer_than_two_seconds(monkeypatch, caplog):
    now = [0.0]
    monkeypatch.setattr(transfer.time, "monotonic", lambda: now[0])
    caplog.set_level("INFO", "graphprobe")
    pace = transfer._Pace("w.tar", 80_000_000)
    for now[0] in (0.5, 1.9, 2.5, 3.0, 12.6):
        assert not pace.too_slow(int(now[0] * 4_000_000))
    assert caplog.messages == [
        "w.tar: 10.0 of 80.0 MB (12%)",
        "w.tar: 50.4 of 80.0 MB (63%)",
    ]

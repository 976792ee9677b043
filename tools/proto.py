"""Compile framework.proto to framework.binpb (a FileDescriptorSet) with the protoc of grpcio-tools.

    .venv/bin/python tools/proto.py

`graphprobe/formats/programdesc/schema.py` says why no Python module is generated.
"""

from __future__ import annotations

from install import ROOT, find_uv, run

FOLDER = ROOT / "graphprobe" / "formats" / "programdesc"


def main() -> None:
    run(
        *find_uv(), "run", "--no-project", "--python", "3.11", "--with", "grpcio-tools==1.71.0",
        "python", "-m", "grpc_tools.protoc", f"--proto_path={FOLDER}", "framework.proto",
        f"--descriptor_set_out={FOLDER / 'framework.binpb'}",
    )  # fmt: skip


if __name__ == "__main__":
    main()

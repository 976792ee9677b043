"""Pages that name messages, and the site, stay true."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"


def source() -> str:
    """All of the library and the command line, as one line without the breaks of its texts."""
    files = [*(ROOT / "graphprobe").rglob("*.py"), *(ROOT / "cli").rglob("*.py")]
    text = " ".join(path.read_text("utf-8") for path in files)
    return re.sub(r'"\s+f?"', "", text)


def test_each_message_of_the_troubleshooting_page_is_one_of_ours() -> None:
    page = (DOCS / "troubleshooting.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    messages = [text for row in rows for text in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert len(messages) > 20
    known = source()
    assert [text for text in messages if text not in known] == []


def test_outputs_of_a_network_are_called_so() -> None:
    pages = " ".join(path.read_text("utf-8") for path in DOCS.glob("*.md"))
    assert "an output of the network" in source() and "an output of the network" in pages
    assert re.findall(r"answers? of the network|network's answers?", source() + pages) == []


def test_the_architecture_names_what_each_new_file_must_define() -> None:
    named = re.findall(r"`([A-Z]+): (\w+)`", (DOCS / "architecture.md").read_text("utf-8"))
    known = re.findall(r'(?:discover|load)\((?:[\w."]+, )?"([A-Z]+)", (\w+)\)', source())
    assert sorted(named) == sorted(known) and ("DATASET", "DatasetFormat") in named


def test_the_site_names_every_page() -> None:
    text = (ROOT / "mkdocs.yml").read_text("utf-8").replace("!ENV ", "")
    nav = yaml.safe_load(text)["nav"]
    named = set(re.findall(r"[\w/-]+\.md", str(nav)))
    assert named == {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}


def test_links_between_pages_lead_somewhere() -> None:
    broken = []
    for page in (*DOCS.rglob("*.md"), ROOT / "README.md", ROOT / "README_cn.md"):
        for link in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text("utf-8")):
            there = "://" in link or (page.parent / link).exists()
            broken += [] if there else [f"{page.name}: {link}"]
    assert broken == []


def test_both_readmes_have_the_same_commands_and_sections() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README_cn.md"))
    assert english.count("\n## ") == chinese.count("\n## ")

    def tables(text: str) -> int:
        return len(re.findall(r"^\|", text, re.M))

    assert tables(english) == tables(chinese)
    # A Chinese page of the same name stands for the English one.
    assert pages(english) <= pages(chinese)


def pages(text: str) -> set[str]:
    """Names of the pages of docs/ that a text links to."""
    return set(re.findall(r"\]\(docs/(?:zh/)?([^)#/]+\.md)", text))

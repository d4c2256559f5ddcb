"""The site: it builds without a warning, hangs together, and needs nothing from elsewhere."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
#: attributes by which a page loads something, as opposed to `href` of a link to be followed
LOADS = {"src", "srcset", "poster", "data", "action", "background"}
#: `rel` of <link> elements that load or connect
LOADING_RELS = {"stylesheet", "icon", "preload", "prefetch", "preconnect", "dns-prefetch",
                "modulepreload", "manifest", "apple-touch-icon"}  # fmt: skip


class Page(HTMLParser):
    """What a page links to, what it loads, and the places that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.styles: list[str] = []
        self._style = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = {key: value or "" for key, value in attrs}
        self.ids |= {found[key] for key in ("id", "name") if key in found}
        self._style = tag == "style"
        self.styles.append(found.get("style", ""))
        self.loads += [found[key] for key in LOADS & found.keys()]
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif "href" in found and (tag != "link" or LOADING_RELS & set(found["rel"].split())):
            self.loads.append(found["href"])

    def handle_data(self, data):
        if self._style:
            self.styles.append(data)

    def handle_endtag(self, tag):
        self._style = False


def elsewhere(address: str) -> bool:
    """True for an address on another host."""
    return bool(urlsplit(address).netloc)


def urls_in_css(text: str) -> list[str]:
    imports = re.findall(r"""@import\s+["']([^"']+)""", text)
    return imports + [u.strip("'\" ") for u in re.findall(r"url\(([^)]*)\)", text)]


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    if importlib.util.find_spec("mkdocs") is None:
        pytest.skip("mkdocs is no part of this environment: pip install '.[docs]'")
    folder = tmp_path_factory.mktemp("docs") / "site"
    ran = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9",
             "https_proxy": "http://127.0.0.1:9"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_there(site, docs, pages):
    written = {p.relative_to(docs).with_suffix(".html") for p in docs.rglob("*.md")}
    assert written == {p.relative_to(site) for p in pages} - {Path("404.html")}
    assert not list(site.rglob("*.py"))


def test_every_link_within_the_site_resolves(site, pages):
    wrong = []
    for path, page in pages.items():
        if path.name == "404.html":  # its addresses are those of a server
            continue
        for link in [*page.links, *page.loads]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                wrong.append(f"{path.relative_to(site)}: {link}")
            elif parts.fragment and target in pages:
                place = unquote(parts.fragment)
                if place not in pages[target].ids and not place.startswith("__"):
                    wrong.append(f"{path.relative_to(site)}: {link} has no such place")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_loaded_from_another_host(site, pages):
    wrong = [
        f"{path.relative_to(site)}: {address}"
        for path, page in pages.items()
        for address in [*page.loads, *(u for css in page.styles for u in urls_in_css(css))]
        if elsewhere(address)
    ]
    for path in site.rglob("*.css"):
        found = filter(elsewhere, urls_in_css(path.read_text(encoding="utf-8")))
        wrong += [f"{path.relative_to(site)}: {address}" for address in found]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "bad",
    [
        '<script src="https://example.org/a.js"></script>',
        '<img src="//example.org/a.png">',
        '<link rel="stylesheet" href="https://example.org/a.css">',
        '<link href="https://example.org" rel="preconnect">',
        "<style>@import 'https://example.org/a.css';</style>",
        '<p style="background: url(https://example.org/a.png)">',
    ],
)
def test_something_from_another_host_would_be_seen(bad):
    page = Page(bad)
    addresses = [*page.loads, *(u for css in page.styles for u in urls_in_css(css))]
    assert any(map(elsewhere, addresses))


def test_a_link_to_another_host_is_no_load():
    assert Page('<a href="https://example.org">').loads == []


@pytest.mark.requires_program("chromium", "chromium-browser", "google-chrome")
def test_search_works_from_a_file_and_asks_no_host(site, tmp_path, requires_program):
    program = requires_program("chromium", "chromium-browser", "google-chrome")
    log = tmp_path / "net.json"
    ran = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", f"--user-data-dir={tmp_path / 'profile'}",
         f"--log-net-log={log}", "--virtual-time-budget=5000", "--dump-dom",
         f"{(site / 'index.html').as_uri()}?q=waiver"],
        capture_output=True,
        text=True,
        timeout=90,
    )  # fmt: skip
    results = re.findall(r'href="([^"]*)"[^>]*class="md-search-result__link', ran.stdout)
    assert any("howto/ci.html" in link for link in results), ran.stderr[-2000:]
    asked = set(re.findall(r'"url":"https?://([^"/]*)', log.read_text(errors="replace")))
    # the browser talks to its maker on its own account; a page can ask only hosts that it names
    named = set()
    for path in [p for p in site.rglob("*") if p.suffix in (".html", ".js", ".css")]:
        named |= set(re.findall(r"//([\w.-]+\.\w+)", path.read_text(encoding="utf-8")))
    assert "unpkg.com" in named  # where the theme would find a diagram's program
    assert not asked & named

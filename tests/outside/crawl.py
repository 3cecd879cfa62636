"""Follows every link of the server's pages below a URL, as browsers resolve them.

Usage: crawl.py URL CERTIFICATE PATH…: begins at the paths, relative to the URL, which ends in `/`. Each page, script and
style must be there, and below the URL.
"""

import ssl
import sys
import urllib.error
import urllib.request
from html.parser import HTMLParser
from urllib.parse import urldefrag, urljoin


class Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found += [value for name, value in attributes if name in ("href", "src", "action") and value]


root, certificate, *paths = sys.argv[1:]
context = ssl.create_default_context(cafile=certificate)
waiting = [(urljoin(root, path), "the beginning") for path in paths]
seen, faults = set(), []
while waiting:
    url, where = waiting.pop()
    url = urldefrag(url).url
    if url in seen or not url.startswith(("http:", "https:")):
        continue
    seen.add(url)
    if not url.startswith(root):
        faults.append(f"{where} leads out, to {url}")
        continue
    try:
        with urllib.request.urlopen(url, context=context) as answer:
            kind, text, url = answer.headers.get_content_type(), answer.read(), answer.url
    except urllib.error.HTTPError as error:
        faults.append(f"{where} leads to {url}: {error.code}")
        continue
    if kind == "text/html":
        links = Links()
        links.feed(text.decode())
        waiting += [(urljoin(url, link), url) for link in links.found]
print(f"{len(seen)} links followed")
if faults or len(seen) < 8:
    sys.exit("\n".join(faults or ["there are hardly any links"]))

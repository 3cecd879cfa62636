"""Follows the links of the server's pages, resolving them as browsers do.

Usage: crawl.py URL CERTIFICATE PATH…: starts at the paths, relative to the URL, which ends in `/`. Every page, script and
style sheet must exist, and must be below the URL.
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
waiting = [(urljoin(root, path), "the arguments") for path in paths]
seen, errors = set(), []
while waiting:
    url, where = waiting.pop()
    url = urldefrag(url).url
    if url in seen or not url.startswith(("http:", "https:")):
        continue
    seen.add(url)
    if not url.startswith(root):
        errors.append(f"{where} links to {url}, which is outside of {root}")
        continue
    try:
        with urllib.request.urlopen(url, context=context) as response:
            kind, text, url = response.headers.get_content_type(), response.read(), response.url
    except urllib.error.HTTPError as error:
        errors.append(f"{where} links to {url}: {error.code}")
        continue
    if kind == "text/html":
        links = Links()
        links.feed(text.decode())
        waiting += [(urljoin(url, link), url) for link in links.found]
print(f"{len(seen)} links followed")
if errors or len(seen) < 8:
    sys.exit("\n".join(errors or ["there are too few links"]))

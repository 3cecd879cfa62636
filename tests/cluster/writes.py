"""The clients of step `kills`: they write rows, files and caches, read them, and remember what was acknowledged."""

import json
import random
import threading
import traceback
import urllib.parse
import uuid

from client import Client
from links import form

# A file with this beginning is an image; the method accepts no others.
IMAGE = b"\x89PNG\r\n\x1a\n"
# The rows of the article site of which caches are written, in groups.
CACHED = ["id001", "id002", "id003"]


class Load:
    """Threads that send requests until `stop` is called. Each kind of request has a thread, so that a slow kind does
    not delay the others."""

    # Which servers the kinds of requests need, besides nginx and rulebook.
    NEEDS = {
        "fixed": set(), "me": {"postgresql"}, "row": {"postgresql"}, "version": {"postgresql"}, "upload": {"s3"},
        "replace": {"s3"}, "download": {"s3"}, "cache": {"s3"},
    }

    def __init__(self, port, key, log, seed):
        self.port, self.key, self.log = port, key, log
        self.seed = seed
        self.stopping = threading.Event()
        # The acknowledged rows with their versions, and files with the contents that they may have.
        self.rows = {}
        self.files = {}
        self.damaged = []
        # The errors that have ended threads before `stop` was called.
        self.errors = []
        self.replaced = [uuid.uuid4().hex for _ in range(5)]
        self.threads = [threading.Thread(target=self.repeat, args=(kind,)) for kind in
                        [self.fixed, self.me, self.row, self.upload, self.replace, self.download, self.cache]]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join()

    def repeat(self, kind):
        """Sends requests of one kind until `stop` is called. An error ends the thread, and is reported at the end."""
        client = Client(self.port, self.key, self.log)
        client.random = random.Random(f"{self.seed} {kind.__name__}")
        try:
            while not self.stopping.is_set():
                kind(client)
                # Leaves some of the processor to the servers.
                self.stopping.wait(client.random.uniform(0, 0.01))
        except Exception as error:
            traceback.print_exc()
            self.errors.append(f"{kind.__name__}: {error!r}")
        finally:
            client.close()

    def fixed(self, client):
        client.send("fixed", "GET", "/fixed")

    def me(self, client):
        client.send("me", "GET", "/me")

    def row(self, client):
        """Adds a row, and replaces its version a few times."""
        row = uuid.uuid4().hex
        _, is_added = client.send("row", "POST", "/row", json.dumps({"id": row, "version": 0}))
        if not is_added:
            return
        self.rows[row] = {0}
        for version in range(1, client.random.randrange(4)):
            _, is_replaced = client.send("version", "PUT", f"/row/{row}", json.dumps({"version": version}))
            # Without an acknowledgement, both versions are possible, and the row is left alone.
            self.rows[row] = {version} if is_replaced else {version - 1, version}
            if not is_replaced:
                return

    def store(self, client, kind, name):
        content = IMAGE + client.random.randbytes(client.random.choice([50, 2_000, 60_000]))
        content_type, body = form([("content", ("x.png", content)), ("filename", name)])
        if name in self.files:
            self.files[name] = self.files[name] | {content}
        _, is_stored = client.send(kind, "POST", "/iapi/file", body, content_type, expected=(204,))
        if is_stored:
            self.files[name] = {content}
        return is_stored

    def upload(self, client):
        self.store(client, "upload", f"public/{uuid.uuid4().hex}.png")

    def replace(self, client):
        """Replaces one of a few files, which only this thread changes. After a failed request, a server may still be
        storing the content, so that the file is left alone."""
        slot = client.random.randrange(len(self.replaced))
        if not self.store(client, "replace", f"public/replaced-{self.replaced[slot]}.png"):
            self.replaced[slot] = uuid.uuid4().hex

    def cache(self, client):
        names = [f"{uuid.uuid4().hex}.json" for _ in CACHED]
        fields = {"fromDB": "user_info.intro_json", "storePath": "./cache/user-intro", "keys": ",".join(CACHED),
                  "filenames": ",".join(names)}
        _, is_written = client.send("cache", "POST", "/iapi/cache", urllib.parse.urlencode(fields),
                                    "application/x-www-form-urlencoded")
        if is_written:
            for key, name in zip(CACHED, names):
                self.files[f"cache/user-intro/{name}"] = key

    def download(self, client):
        """Downloads an acknowledged file, and compares it."""
        names = list(self.files)
        if not names:
            self.stopping.wait(0.05)
            return
        name = client.random.choice(names)
        before = self.files[name]
        outcome, is_good = client.send("download", "GET", f"/iapi/file?filename={name}")
        after = self.files[name]
        if is_good and isinstance(before, set) and outcome.body not in before | after:
            self.damaged.append(name)

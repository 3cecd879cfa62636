"""The cluster: three rulebook servers behind nginx, and the servers that they use."""

import http.client
import os
import re
import shutil
import subprocess

from engines import BUCKET, Files, Limits, Postgres, nginx_program
from processes import Server, free_ports, is_listening, wait_until

COUNT = 3
# Any text of at least 32 characters; all servers need the same.
PEPPER = "the pepper of the servers of one cluster"
# The command before that of a server, for which `chrt` sets the scheduling policy. Some containers do not permit this.
BATCH = ["chrt", "--batch", "0"]
if subprocess.run([*BATCH, "true"], capture_output=True).returncode != 0:
    BATCH = []


class Cluster:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.api = self.copy_api()
        self.postgres = self.limits = self.files = None
        self.servers = []
        self.nginx = None

    def copy_api(self):
        """Makes a folder with the definition of the article site and the methods for the checks."""
        api = os.path.join(self.folder, "api")
        shutil.copytree("api", api)
        shutil.copytree("tests/cluster/api", api, dirs_exist_ok=True)
        shutil.copytree("tests/cluster/migrations", os.path.join(self.folder, "migrations"))
        # A short run has a lower limit.
        path = os.path.join(api, "cluster.json")
        with open(path) as file:
            text = file.read()
        with open(path, "w") as file:
            file.write(text.replace('"requests": 125000', f'"requests": {self.options.limit}'))
        return api

    def start(self):
        self.postgres = Postgres(self.folder)
        self.postgres.create()
        self.limits = Limits(self.folder)
        self.limits.start()
        self.files = Files(self.folder, self.options.weed)
        self.files.create()
        for index in range(COUNT):
            self.servers.append(self.rulebook(index))
            # The first server applies the migrations.
            self.servers[-1].start()
        self.nginx = self.proxy()
        self.nginx.start()

    def stop(self):
        for server in [self.nginx, *self.servers, self.files, self.limits, self.postgres]:
            if server:
                server.stop()

    @property
    def environment(self):
        return {
            **self.files.environment_of_clients,
            "CLUSTER_LIMITS": self.limits.url,
            "CLUSTER_ROWS": self.postgres.url("rows"),
            "RULEBOOK_KEY_STORAGE": self.postgres.url("keys"),
            "RULEBOOK_FILES": f"s3://{BUCKET}/files",
            "RULEBOOK_PEPPER": PEPPER,
        }

    def rulebook(self, index, name=None, *arguments):
        """Returns a server that is not started yet. Each has a data folder as if it were on another machine, and the
        scheduling that docs/deploy.md recommends for servers that share processors."""
        [port] = free_ports(1)
        name = name or f"rulebook-{index + 1}"
        command = [*BATCH, self.options.program, "serve", "--api", self.api,
                   "--data", os.path.join(self.folder, name), "--bind", f"127.0.0.1:{port}",
                   "--trusted-proxies", "127.0.0.1", "--log", "info,rulebook::access=off",
                   *arguments, *self.options.serve]
        server = Server(name, command, self.folder, lambda: readiness(port) == 200, self.environment)
        server.port = port
        return server

    def proxy(self):
        """Returns nginx with the configuration in `deploy`, but without TLS: the requests of a check are many."""
        [port] = free_ports(1)
        with open("deploy/nginx.conf") as file:
            site = file.read()
        for index, server in enumerate(self.servers):
            site = site.replace(f"rulebook-{index + 1}:8080", f"127.0.0.1:{server.port}")
        site = re.sub(r"\n *ssl_\S+ [^;]*;", "", site)
        site = re.sub(r"listen 443 ssl[^;]*;", f"listen 127.0.0.1:{port};", site)
        # The response names the servers to which nginx has sent the request.
        site = site.replace("location / {", "location / {\n        add_header X-Upstream $upstream_addr always;")
        folder = os.path.join(self.folder, "nginx")
        os.mkdir(folder)
        names = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        paths = "".join(f"{name}_temp_path {folder};\n" for name in names)
        user = "user root;\n" if os.getuid() == 0 else ""
        with open(os.path.join(folder, "nginx.conf"), "w") as file:
            file.write(f"daemon off;\n{user}worker_processes 2;\npid {folder}/nginx.pid;\nerror_log stderr warn;\n"
                       f"events {{ worker_connections 4096; }}\nhttp {{\naccess_log off;\n{paths}{site}\n}}\n")
        command = [nginx_program(), "-p", folder, "-c", f"{folder}/nginx.conf", "-e", "stderr"]
        server = Server("nginx", command, folder, lambda: is_listening(port))
        server.port = port
        return server

    def keys(self, *arguments):
        """Runs `rulebook keys` and returns what it prints."""
        command = [self.options.program, "keys", arguments[0], "--api", self.api,
                   "--data", os.path.join(self.folder, "commands"), *arguments[1:]]
        done = subprocess.run(command, cwd=self.folder, env={**os.environ, **self.environment},
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr}")
        return done.stdout.strip()

    def add_key(self, name, *arguments):
        return self.keys("add", "--name", name, "--scope", "cluster,iapi", *arguments)

    def wait_for_key(self, key):
        """Waits until every server accepts a key. Returns how many requests were allowed, which count for its limit."""
        for server in self.servers:
            wait_until(lambda port=server.port: get(port, "/fixed", key)[0] == 200, 10, f"a key at {server.name}")
        return len(self.servers)


def readiness(port):
    """Returns the status of `/readyz`, or `None` if the server does not respond."""
    return get(port, "/readyz")[0]


def get(port, path, key=None):
    """Returns the status and the body of the response to GET; the status is `None` if the server does not respond."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException):
        return None, b""
    finally:
        connection.close()

"""The servers that rulebook uses: PostgreSQL, Valkey or Redis, and a server of S3. Their data is on the disk."""

import glob
import http.client
import os
import pwd
import shutil
import socket
import subprocess
import urllib.error
import urllib.request

from processes import CannotStart, Server, free_ports

BUCKET = "cluster"
# The credentials of the S3 server of a run. The server is reachable only from this machine.
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "cluster",
    "AWS_SECRET_ACCESS_KEY": "cluster-secret",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def postgres_programs():
    """Returns the folder with the programs of the newest PostgreSQL server, or `None`."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    folders.sort(key=lambda folder: float(folder.split("/")[-2]))
    found = shutil.which("initdb")
    return folders[-1] if folders else found and os.path.dirname(found)


def limits_program():
    return shutil.which("valkey-server") or shutil.which("redis-server")


def nginx_program():
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


class Postgres(Server):
    """PostgreSQL with two databases: the rows of SQL handlers, and the API keys."""

    def __init__(self, folder):
        self.port = free_ports(1)[0]
        self.programs = postgres_programs()
        folder = os.path.join(folder, "postgresql")
        os.mkdir(folder)
        # PostgreSQL refuses to run as root. Its Debian package creates the user postgres.
        user = "postgres" if os.getuid() == 0 else None
        if user:
            owner = pwd.getpwnam(user)
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        # After a kill of processes, the data that was written is there without fsync too.
        command = [f"{self.programs}/postgres", "-D", f"{folder}/data", "-p", str(self.port), "-k", folder,
                   "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=200"]
        super().__init__("postgresql", command, folder, self.responds, user=user)

    def create(self):
        """Creates the databases, and starts the server."""
        folder = self.folder
        self.run("initdb", "-D", f"{folder}/data", "-U", "cluster", "--auth=trust", "--encoding=UTF8", "--locale=C")
        self.start()
        for name in ["rows", "keys"]:
            self.run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "cluster", name)

    def run(self, program, *arguments):
        done = subprocess.run([f"{self.programs}/{program}", *arguments], cwd=self.folder, user=self.user,
                              capture_output=True, text=True)
        if done.returncode:
            raise CannotStart(f"{program}: {done.stderr}")

    def responds(self):
        command = [f"{self.programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(command).returncode == 0

    def url(self, database):
        return f"postgres://cluster@127.0.0.1:{self.port}/{database}"


class Limits(Server):
    """Valkey or Redis, which writes each change to a file before it responds."""

    def __init__(self, folder):
        port = free_ports(1)[0]
        self.url = f"redis://127.0.0.1:{port}"
        folder = os.path.join(folder, "limits")
        os.mkdir(folder)
        command = [limits_program(), "--bind", "127.0.0.1", "--port", str(port), "--dir", folder, "--save", "",
                   "--appendonly", "yes", "--appendfsync", "always", "--maxmemory-policy", "noeviction"]
        super().__init__(os.path.basename(command[0]), command, folder, lambda: self.responds(port))

    @staticmethod
    def responds(port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                return connection.recv(100).startswith(b"+PONG")
        except OSError:
            return False


class Files(Server):
    """SeaweedFS, a server of S3 with conditional writes, which stores its data on the disk."""

    def __init__(self, folder, program):
        ports = free_ports(8)
        names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc", "filer.port",
                 "filer.port.grpc", "s3.port", "s3.port.grpc"]
        self.port = ports[names.index("s3.port")]
        folder = os.path.join(folder, "s3")
        os.mkdir(folder)
        command = [program, f"-logdir={folder}", "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1",
                   "-filer", "-s3", "-master.telemetry=false", "-master.volumeSizeLimitMB=256",
                   "-volume.max=50", "-s3.iam=false", "-s3.port.iceberg=0", "-s3.port.lance=0",
                   "-master.electionTimeout=1s", *(f"-{name}={port}" for name, port in zip(names, ports))]
        self.filer = ports[names.index("filer.port")]
        super().__init__("s3", command, folder, self.responds, CREDENTIALS)

    def responds(self):
        """Returns whether a file can be written and read, and the interface of S3 responds."""
        try:
            filer = f"http://127.0.0.1:{self.filer}"
            urllib.request.urlopen(urllib.request.Request(f"{filer}/probe", b"x", method="PUT"), timeout=5)
            urllib.request.urlopen(f"{filer}/probe", timeout=5)
            urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5)
        except urllib.error.HTTPError as error:
            # Without credentials, this is the response of the interface of S3.
            return error.code == 403 and error.url.endswith(f":{self.port}/")
        except OSError:
            return False
        return False

    def create(self):
        """Starts the server, and creates the bucket, which is a folder of SeaweedFS."""
        self.start()
        connection = http.client.HTTPConnection("127.0.0.1", self.filer, timeout=10)
        connection.request("POST", f"/buckets/{BUCKET}/")
        if (status := connection.getresponse().status) != 201:
            raise CannotStart(f"{self.name}: creating the bucket: {status}")
        connection.close()

    @property
    def environment_of_clients(self):
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

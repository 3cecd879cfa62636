"""Checks that the files in `deploy` agree with each other and with the program:

  deploy_agreement.py HELP

HELP is the file with the output of `rulebook serve --help`.
"""

import json
import pathlib
import re
import subprocess
import sys

import yaml

DEPLOY = pathlib.Path("deploy")
errors = []


def expect(condition, error):
    if not condition:
        errors.append(error)


def first(pattern, file):
    """Returns the first group of the first match in a file, as a number."""
    found = re.search(pattern, (DEPLOY / file).read_text(), re.M)
    if not found:
        sys.exit(f"{file}: nothing matches {pattern}")
    return int(found[1])


help_text = pathlib.Path(sys.argv[1]).read_text()
settings = set(re.findall(r"RULEBOOK_[A-Z0-9_]+", help_text))
texts = [path for path in DEPLOY.rglob("*") if path.is_file() and "secrets" not in path.parts]
for path in texts:
    for name in set(re.findall(r"RULEBOOK_[A-Z0-9_]+", path.read_text())) - settings - {"RULEBOOK_PEPPER"}:
        expect(False, f"{path}: {name} is not a setting")

manifests = {}
for path in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
    for manifest in yaml.safe_load_all(path.read_text()):
        manifests[manifest["kind"]] = manifest
listed = manifests["Kustomization"]["resources"]
# A Job cannot be applied again, so that it is not among the resources.
apart = {"kustomization.yaml", "migrate.yaml"}
files = sorted(path.name for path in (DEPLOY / "kubernetes").glob("*.yaml") if path.name not in apart)
expect(sorted(listed) == files, f"kustomization.yaml lists {sorted(listed)}, not {files}")

pod = manifests["Deployment"]["spec"]["template"]
[container] = pod["spec"]["containers"]
labels = pod["metadata"]["labels"].items()
for kind, selector in [
    ("Deployment", manifests["Deployment"]["spec"]["selector"]["matchLabels"]),
    ("Service", manifests["Service"]["spec"]["selector"]),
    ("PodDisruptionBudget", manifests["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"]),
    ("NetworkPolicy", manifests["NetworkPolicy"]["spec"]["podSelector"]["matchLabels"]),
]:
    expect(selector.items() <= labels, f"{kind} selects other pods: {selector}")
claims = [volume["persistentVolumeClaim"]["claimName"] for volume in pod["spec"]["volumes"] if "persistentVolumeClaim" in volume]
expect(claims == [manifests["PersistentVolumeClaim"]["metadata"]["name"]], f"the volumes {claims}")
[job] = manifests["Job"]["spec"]["template"]["spec"]["containers"]
for member in ["envFrom", "volumeMounts", "securityContext"]:
    expect(job[member] == container[member], f"the Job has other {member}")
expect(container["envFrom"][0]["configMapRef"]["name"] == manifests["ConfigMap"]["metadata"]["name"], "the ConfigMap")
expect(
    {volume["name"] for volume in pod["spec"]["volumes"]} == {mount["name"] for mount in container["volumeMounts"]},
    "the volumes are not those that are mounted",
)
expect(container["image"] in [image["name"] for image in manifests["Kustomization"]["images"]], "the image")

# The time to stop: each supervisor waits longer than the server does, and five seconds more. After the requests in
# progress, the server sends the last traces for at most five seconds, and ends its processes.
TRACES = 5
processes = int(re.search(r"^\| `stop_timeout` \| [^|]* \| (\d+) \|", pathlib.Path("docs/process.md").read_text(), re.M)[1])
after_requests = TRACES + processes
timeout = int(re.search(r"stopping server\s+waits for requests in progress \[default: (\d+)\]", help_text)[1])
configured = manifests["ConfigMap"]["data"]
pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
grace = pod["spec"]["terminationGracePeriodSeconds"]
needed = pause + int(configured["RULEBOOK_SHUTDOWN_TIMEOUT"]) + after_requests
expect(needed + 5 <= grace, f"Kubernetes kills a server after {grace} seconds, which needs {needed}")
for name, seconds in [
    ("systemd", first(r"^TimeoutStopSec=(\d+)$", "rulebook.service")),
    ("compose", first(r"^ +stop_grace_period: (\d+)s$", "compose.yaml")),
    ("the command in docs/deploy.md", first(r" --stop-timeout (\d+) ", "../docs/deploy.md")),
]:
    needed = timeout + after_requests
    expect(needed + 5 <= seconds, f"{name} kills a server after {seconds} seconds, which needs {needed}")
# The proxy closes idle connections before the servers do.
keep_alive = int(re.search(r"idle connection is closed\s+\[default: (\d+)\]", help_text)[1])
expect(first(r"^ +keepalive_timeout (\d+)s;$", "nginx.conf") + 5 <= keep_alive, "the idle connections of nginx")

# The servers of nginx are those of the compose file, the port is the same in all files, and so is the user.
compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
named = re.findall(r"^ +server (\S+):8080 ", (DEPLOY / "nginx.conf").read_text(), re.M)
services = [name for name, service in compose["services"].items() if service["image"] == "rulebook"]
expect(named == services, f"nginx.conf has the servers {named}, and compose.yaml {services}")
trusted = compose["services"]["rulebook-1"]["environment"]["RULEBOOK_TRUSTED_PROXIES"]
nginx = compose["services"]["nginx"]["networks"]["front"]["ipv4_address"]
expect(trusted == nginx, f"compose.yaml trusts {trusted} instead of nginx, {nginx}")
expect(configured["RULEBOOK_BIND"] == "0.0.0.0:8080", "the port in configmap.yaml")
expect(container["ports"][0]["containerPort"] == 8080, "the port in deployment.yaml")
expect(first(r"^ENV RULEBOOK_BIND=0\.0\.0\.0:(\d+) ", "Containerfile") == 8080, "the port in the Containerfile")
user = first(r"^USER (\d+):", "Containerfile")
expect(user == pod["spec"]["securityContext"]["runAsUser"], "the users of Containerfile and deployment.yaml")
rust = re.search(r'^rust-version = "(\d+)\.(\d+)"$', pathlib.Path("Cargo.toml").read_text(), re.M)
expect(first(r"^ARG RUST=1\.(\d+)$", "Containerfile") >= int(rust[2]), "the version of Rust in the Containerfile")

# The Containerfile builds a program of this workspace by default, and takes over the authorities of the system.
metadata = json.loads(subprocess.check_output(["cargo", "metadata", "--no-deps", "--format-version", "1"]))
programs = {target["name"] for package in metadata["packages"] for target in package["targets"] if "bin" in target["kind"]}
container_text = (DEPLOY / "Containerfile").read_text()
program = re.search(r"^ARG PROGRAM=(\S+)$", container_text, re.M)[1]
expect(program in programs, f"the Containerfile builds {program}, which is none of {sorted(programs)}")
expect(re.search(r"cargo build [^&]*--workspace --bin", container_text), "the Containerfile builds only the root package")
expect("/etc/ssl/certs/ca-certificates.crt" in container_text, "the image has no authorities")

# Each shared service that a file of `deploy` starts or permits can be set there.
for path in ["compose.yaml", "environment", "kubernetes/configmap.yaml"]:
    text = (DEPLOY / path).read_text()
    for name in ["KEY_STORAGE", "IDEMPOTENCY_STORAGE", "SHARED_LIMITS", "PEPPER"]:
        expect(f"RULEBOOK_{name}=" in text, f"{path} does not mention RULEBOOK_{name}")

if errors:
    sys.exit("\n".join(errors))

"""The pod that the chart renders, as processes of this machine on volumes like the kubelet's."""

import base64
import contextlib
import json
import socket
import subprocess
import sys

import bcrypt
import pytest
import requests

from tests.deploy.kubernetes import CHART, container, helm, objects, of_kind, pod_spec, run
from tests.end_to_end.conftest import PATIENCE, free_port, until

# the exporter, but it looks at its web configuration more often than every ten seconds
QUICK = (
    "import sys; import exporter.web.reloader as reloader; reloader._LOOK_SECONDS = 0.1;"
    "from exporter.__main__ import main; sys.exit(main())"
)
EXPORTER = (sys.executable, "-c", QUICK)
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
TLS = {"tls_server_config": {"cert_file": "tls.crt", "key_file": "tls.key"}}


def password(name):
    return {"basic_auth_users": {name: bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()}}


class Volume:
    """Mounted Secrets: the kubelet swaps one link to renew all their files at once."""

    def __init__(self, folder):
        self._folder = folder
        self._times = 0
        folder.mkdir()

    def renew(self, files):
        self._times += 1
        new = self._folder / f"..{self._times}"
        new.mkdir()
        for name, content in files.items():
            (new / name).write_bytes(content)
            if not (self._folder / name).is_symlink():
                (self._folder / name).symlink_to(f"..data/{name}")
        (self._folder / "..data_tmp").symlink_to(new.name)
        (self._folder / "..data_tmp").rename(self._folder / "..data")


class Pod:
    """The pod of a release; its volumes are in a folder."""

    def __init__(self, folder, certificate):
        self._folder = folder
        self._port = free_port()
        self._tls = {"tls.crt": certificate.cert, "tls.key": certificate.key}
        self._volumes = {}
        self.container = {}
        self.trust = folder / "ca.crt"
        self.trust.write_bytes(certificate.cert)

    def apply(self, **values):
        """Render the release with these values, and renew the volumes."""
        flags = [f"--set-json={key}={json.dumps(value)}" for key, value in values.items()]
        flags.append(f"--set=demo=calm,reloadInterval=100ms,containerPort={self._port}")
        found = objects(run(helm(4), "template", "x", CHART, *flags))
        self.container = container(found)
        secrets = {each["metadata"]["name"]: each["data"] for each in of_kind("Secret", found)}
        for volume in pod_spec(found).get("volumes", ()):
            files = {}
            for source in volume.get("projected", {}).get("sources", [volume]):
                secret = source["secret"]
                data = secrets.get(secret.get("name") or secret["secretName"])
                decoded = {name: base64.b64decode(text) for name, text in (data or {}).items()}
                files |= decoded or self._tls
            if volume["name"] not in self._volumes:
                self._volumes[volume["name"]] = Volume(self._folder / volume["name"])
            self._volumes[volume["name"]].renew(files)

    def command(self, arguments):
        """The exporter with these arguments, but with the mounts in our folder."""
        command = [*EXPORTER, *arguments]
        for mount in self.container.get("volumeMounts", ()):
            folder = self._folder / mount["name"]
            command = [each.replace(f"={mount['mountPath']}/", f"={folder}/") for each in command]
        return command

    @contextlib.contextmanager
    def running(self):
        process = subprocess.Popen(self.command(self.container["args"]), stdout=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.terminate()
            process.wait(PATIENCE)

    def get(self, path, scheme="https", **kwargs):
        url = f"{scheme}://localhost:{self._port}{path}"
        return requests.get(url, verify=str(self.trust), timeout=PATIENCE, **kwargs)

    def handler(self, name):
        """How a probe asks, without its timing."""
        return {
            key: value for key, value in self.container[name].items() if isinstance(value, dict)
        }

    def is_well(self, name):
        """Ask as the kubelet does, which knows no password."""
        handler = self.handler(name)
        if "exec" in handler:
            _, *arguments = handler["exec"]["command"]
            return subprocess.run(self.command(arguments), check=False).returncode == 0
        if "tcpSocket" in handler:
            with socket.socket() as client:
                return client.connect_ex(("127.0.0.1", self._port)) == 0
        asked = handler["httpGet"]
        return self.get(asked["path"], asked["scheme"].lower()).ok


@pytest.fixture
def pod(tmp_path, certificate):
    return Pod(tmp_path, certificate("localhost"))


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"webConfig": TLS, "webTlsSecret": "tls"},
        {"webConfig": TLS | password("a"), "webTlsSecret": "tls"},
    ],
    ids=["plain", "tls", "tls and passwords"],
)
def test_its_probes_succeed(pod, values):
    pod.apply(**values)
    probes = {json.dumps(pod.handler(name)): name for name in PROBES}  # each kind once
    with pod.running():
        for name in probes.values():
            assert until(lambda name=name: pod.is_well(name))


def test_its_probes_fail_if_it_does_not_run(pod):
    pod.apply(webConfig=password("a"))
    assert not pod.is_well("livenessProbe")


def test_a_renewed_secret_is_active_without_a_restart(pod):
    def values(module, user):
        config = {"modules": {"default": {}, module: {}}}
        return {"config": config, "webConfig": TLS | password(user), "webTlsSecret": "tls"}

    def status(module, user):
        return pod.get(f"/probe?module={module}", auth=(user, "secret")).status_code

    pod.apply(**values("old", "a"))
    first = pod.container
    with pod.running():
        assert until(lambda: status("old", "a") == 200)
        assert (status("new", "a"), status("old", "b")) == (400, 401)
        pod.apply(**values("new", "b"))
        assert pod.container == first
        assert until(lambda: status("new", "b") == 200)
        assert (status("old", "b"), status("new", "a")) == (400, 401)

"""Starts etcd and a kube-apiserver on loopback, with RBAC, and hands out kubeconfigs."""

import json
import shutil
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import urllib3

from tests.support.kubernetes_api.build import Progress, built_program

_PATIENCE_SECONDS = 180.0
_STOP_SECONDS = 20.0
_STORED = ("--unsafe-no-fsync", "--log-level", "error", "--name", "test")


class RefusedError(Exception):
    """The API server's status and words."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(f"{status}: {words}")
        self.status = status


class ApiServer:
    """A Kubernetes API server of a test's own: no controllers, no nodes; objects are what tests make them."""

    def __init__(self, progress: Progress) -> None:
        self._program = built_program(progress)
        self._directory = Path(tempfile.mkdtemp(prefix="conntrail-kubernetes-"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._etcd_port, self._peer_port, self._port = _free_ports(3)
        self._pool: urllib3.PoolManager | None = None
        self._tokens = {name: uuid.uuid4().hex for name in ("admin", "jane")}
        self.url = f"https://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start both servers; returns when the API answers."""
        key = self._directory / "accounts.key"
        subprocess.run([self._program, "key", key], check=True)
        lines = [f"{token},{name},{name},system:masters\n" for name, token in self._tokens.items()]
        (self._directory / "tokens.csv").write_text("".join(lines))
        here, peer = f"http://127.0.0.1:{self._etcd_port}", f"http://127.0.0.1:{self._peer_port}"
        urls = ["--listen-client-urls", here, "--advertise-client-urls", here, "--listen-peer-urls", peer]
        urls += ["--initial-advertise-peer-urls", peer, "--initial-cluster", f"test={peer}"]
        self._launch("etcd", [*_STORED, "--data-dir", str(self._directory / "etcd"), *urls])
        self.start_api()

    def start_api(self, *flags: str) -> None:
        """Start the API server alone, with the data that etcd holds."""
        directory = self._directory
        options = {
            "etcd-servers": f"http://127.0.0.1:{self._etcd_port}",
            "bind-address": "127.0.0.1",
            "advertise-address": "127.0.0.1",
            "secure-port": self._port,
            "cert-dir": directory / "certificates",
            "service-cluster-ip-range": "10.96.0.0/16,fd00:96::/112",
            "endpoint-reconciler-type": "none",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": directory / "accounts.key",
            "service-account-signing-key-file": directory / "accounts.key",
            "token-auth-file": directory / "tokens.csv",
            "authorization-mode": "RBAC",
            # There are no controllers that would make what these wait for.
            "disable-admission-plugins": "ServiceAccount,TaintNodesByCondition",
            "profiling": "false",
        }
        self._launch("apiserver", [*(f"--{name}={value}" for name, value in options.items()), *flags])
        self._await_ready()

    def stop_api(self) -> None:
        """Begin an outage of the API server, as by a crash; etcd stays.

        Asked to end, it would first wait for open watches, and serve meanwhile.
        """
        process = self._processes.pop("apiserver")
        process.kill()
        process.wait()

    def stop(self) -> None:
        """Stop both and remove everything."""
        for name in reversed(list(self._processes)):
            self._end(name)
        shutil.rmtree(self._directory, ignore_errors=True)

    def kubeconfig(self, token: str = "") -> Path:
        """A kubeconfig for a token, the administrator's when none is given."""
        path = self._directory / f"kubeconfig-{uuid.uuid4().hex[:8]}"
        cluster = {"server": self.url, "certificate-authority": str(self._certificate)}
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "test", "user": {"token": token or self._tokens["admin"]}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
            "current-context": "test",
        }
        path.write_text(json.dumps(document))
        return path

    def request(
        self, method: str, path: str, body: object | None = None, kind: str = "application/json", user: str = "admin"
    ) -> Any:
        """One request of an administrator, admin or jane. Raises RefusedError for what the API server refuses."""
        if self._pool is None:
            self._pool = urllib3.PoolManager(maxsize=8, retries=False, ca_certs=str(self._certificate))
        answer = self._pool.request(
            method,
            self.url + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {self._tokens[user]}", "Content-Type": kind},
            timeout=30.0,
        )
        if answer.status >= 400:
            raise RefusedError(answer.status, answer.data.decode(errors="replace"))
        is_json = answer.headers.get("Content-Type", "").startswith("application/json")
        return answer.json() if is_json else answer.data

    @property
    def _certificate(self) -> Path:
        return self._directory / "certificates" / "apiserver.crt"

    def _launch(self, name: str, arguments: list[str]) -> None:
        with (self._directory / f"{name}.log").open("ab") as log:
            command = [str(self._program), name, *arguments]
            self._processes[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            for name, process in self._processes.items():
                if process.poll() is not None:
                    log = (self._directory / f"{name}.log").read_text(errors="replace")
                    raise RuntimeError(f"{name} ended: {log[-2000:]}")
            try:
                if self.request("GET", "/readyz") == b"ok":
                    return
            except (OSError, urllib3.exceptions.HTTPError, RefusedError):
                # The certificate may not be written yet.
                self._pool = None
            time.sleep(0.1)
        raise RuntimeError(f"the API server was not ready after {_PATIENCE_SECONDS:.0f} s")

    def _end(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports

"""Exporter, Prometheus and Alertmanager on this machine, without containers: `make stack`.

They run as plain processes with their data in one folder. Prometheus begins with a day of history
and values an example account: long BTC and ETH, short USDT.
Alertmanager uses deploy/alertmanager.yml; each receiver in it is replaced by one that writes
the alerts to a file and to the terminal. Ctrl-C stops everything.
"""

import argparse
import contextlib
import http.server
import json
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
_PATIENCE_SECONDS = 60
_STOP_SECONDS = 15
_INSTANCE = "localhost:10198"
"""The instance label of the history, which the series that are scraped here continue."""
_EXAMPLE_ACCOUNT = [
    str(ROOT / "rules" / "examples" / "constant.yaml"),
    str(ROOT / "rules" / "collateral.yaml"),
]
"""Rules that show what the scenario costs an account."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the stack until a signal; returns the process's exit status."""
    flags = _parser().parse_args(argv)
    flags.folder = flags.folder.resolve()
    if flags.alertmanager_config:
        flags.alertmanager_config = flags.alertmanager_config.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        prometheus = _find("prometheus")
        alertmanager = _find("prometheus-alertmanager", "alertmanager")
        flags.folder.mkdir(parents=True, exist_ok=True)
        if flags.history and flags.demo:
            _load_history(flags.folder / "prometheus")
        with contextlib.ExitStack() as stack:
            hook = stack.enter_context(_receiver(flags.folder / "alerts.jsonl"))
            _write_configurations(flags, hook)
            _start(stack, flags, prometheus, alertmanager)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except (_Failed, OSError, subprocess.CalledProcessError) as error:
        _say(f"make stack: {error}")
        return 1
    return 0


class _Failed(Exception):
    """Why the stack cannot run, as one sentence."""


def _start(
    stack: contextlib.ExitStack, flags: argparse.Namespace, prometheus: str, alertmanager: str
) -> None:
    folder = flags.folder
    exporter = [
        sys.executable,
        "-m",
        "exporter",
        f"--web.listen-address=127.0.0.1:{flags.exporter_port}",
    ]
    commands = {
        "exporter": (
            f"http://127.0.0.1:{flags.exporter_port}",
            [*exporter, *([f"--demo={flags.demo}"] if flags.demo else [])],
        ),
        "alertmanager": (
            f"http://127.0.0.1:{flags.alertmanager_port}",
            [
                alertmanager,
                f"--config.file={flags.alertmanager_config or folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{flags.alertmanager_port}",
                "--cluster.listen-address=",
            ],
        ),
        "prometheus": (
            f"http://127.0.0.1:{flags.prometheus_port}",
            [
                prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{flags.prometheus_port}",
                "--web.enable-lifecycle",
            ],
        ),
    }
    for name, (url, command) in commands.items():
        stack.enter_context(_running(name, command, url, folder / f"{name}.log"))
        _say(f"{name + ':':14}{url}/")
    if flags.alertmanager_config:
        _say(f"{'alerts:':14}to the receivers of {flags.alertmanager_config}")
    else:
        _say(f"{'alerts:':14}{folder / 'alerts.jsonl'}, and below as they arrive")
    _say("Ctrl-C stops the stack")


@contextlib.contextmanager
def _running(name: str, command: list[str], url: str, log_file: Path) -> Iterator[None]:
    """Run a server until the block ends; it is ready when the block begins."""
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=ROOT, start_new_session=True
        )
        try:
            _wait_until_ready(name, process, url, log_file)
            yield
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait_until_ready(
    name: str, process: "subprocess.Popen[bytes]", url: str, log_file: Path
) -> None:
    give_up = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < give_up:
        if process.poll() is not None:
            *_, last = log_file.read_text().splitlines() or ["no output"]
            raise _Failed(f"{name} ended with status {process.returncode}: {last}")
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{url}/-/ready", timeout=_PATIENCE_SECONDS).close()
            return
        time.sleep(0.1)
    raise _Failed(f"{name} is not ready after {_PATIENCE_SECONDS} s; see {log_file}")


@contextlib.contextmanager
def _receiver(file: Path) -> Iterator[str]:
    """Serve the webhook that writes each alert to the file and the terminal; yields its URL."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            with file.open("a") as output:
                for alert in json.loads(body)["alerts"]:
                    output.write(json.dumps(alert) + "\n")
                    _say(f"{alert['status']}: {alert['labels']['alertname']}: {_summary(alert)}")
            self.send_response(http.HTTPStatus.OK)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def _summary(alert: dict[str, Any]) -> str:
    return str(alert["annotations"].get("summary", ""))


def _write_configurations(flags: argparse.Namespace, hook: str) -> None:
    """Take the files of deploy/, with the addresses and paths of this stack."""
    deploy = ROOT / "deploy"
    prometheus = yaml.safe_load((deploy / "prometheus.yml").read_text())
    prometheus["rule_files"] = [str((deploy / each).resolve()) for each in prometheus["rule_files"]]
    if flags.demo:
        prometheus["rule_files"] += _EXAMPLE_ACCOUNT
    manager = [f"127.0.0.1:{flags.alertmanager_port}"]
    prometheus["alerting"]["alertmanagers"] = [{"static_configs": [{"targets": manager}]}]
    target = {"targets": [f"127.0.0.1:{flags.exporter_port}"], "labels": {"instance": _INSTANCE}}
    prometheus["scrape_configs"][0]["static_configs"] = [target]
    (flags.folder / "prometheus.yml").write_text(yaml.safe_dump(prometheus, sort_keys=False))
    alertmanager = yaml.safe_load((deploy / "alertmanager.yml").read_text())
    alertmanager["receivers"] = [
        {"name": each["name"], "webhook_configs": [{"url": hook}]}
        for each in alertmanager["receivers"]
    ]
    (flags.folder / "alertmanager.yml").write_text(yaml.safe_dump(alertmanager, sort_keys=False))


def _load_history(folder: Path) -> None:
    if folder.exists():
        return
    loading = folder.with_name("loading")  # not to take half a history for a whole one
    shutil.rmtree(loading, ignore_errors=True)
    _say("Loading a day of history ...")
    command = [sys.executable, "-m", "exporter.history.load", str(loading)]
    rules = [f"--rules={file}" for file in _EXAMPLE_ACCOUNT]
    subprocess.run([*command, *rules], check=True, cwd=ROOT)
    loading.rename(folder)


def _find(*names: str) -> str:
    for name in names:
        if path := shutil.which(name):
            return path
    raise _Failed(f"{names[0]} is missing; on Debian: apt-get install {names[0]}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="deploy/stack.py",
        description="Runs exporter, Prometheus and Alertmanager on this machine.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add(
        "--demo",
        default="haircut-change",
        metavar="SCENARIO",
        help="scenario of the simulator (default %(default)s); empty for the live exchange",
    )
    add(
        "--history",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="begin with a day of history (only with a scenario)",
    )
    add(
        "--alertmanager-config",
        type=Path,
        metavar="FILE",
        help="configuration of Alertmanager to use as it is, in place of deploy/alertmanager.yml",
    )
    add(
        "--folder",
        type=Path,
        default=ROOT / ".stack",
        help="for data, logs and alerts (default .stack)",
    )
    add("--exporter-port", type=int, default=10198, metavar="N", help="(default %(default)s)")
    add("--prometheus-port", type=int, default=9090, metavar="N", help="(default %(default)s)")
    add("--alertmanager-port", type=int, default=9093, metavar="N", help="(default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())

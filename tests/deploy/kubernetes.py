"""Helm and kubectl, and what they render."""

import functools
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy" / "helm" / "binance-asset-index-exporter"
VARIANTS = sorted(file.name.removesuffix("-values.yaml") for file in CHART.glob("ci/*.yaml"))

Object = dict[str, Any]


def helm(version: int) -> str:
    own, path = ROOT / ".venv" / f"helm{version}" / "helm", shutil.which("helm")
    if own.exists():
        return str(own)
    if path and run(path, "version", "--short").startswith(f"v{version}."):
        return path
    return missing(f"Helm {version}")


def kubectl() -> str:
    own, path = ROOT / ".venv" / "helm4" / "kubectl", shutil.which("kubectl")
    return str(own) if own.exists() else path or missing("kubectl")


def missing(name: str) -> NoReturn:
    """Skip the test; in CI it fails."""
    message = f"{name} is missing; run: make kubernetes-tools"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


def run(*command: str | Path) -> str:
    """Run a program that succeeds; gives its output."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refusal(*command: str | Path) -> str:
    """Run a program that fails; gives what it says, without Helm's lines on links."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    return "\n".join(line for line in done.stderr.splitlines() if "symbolic link" not in line)


def objects(text: str) -> list[Object]:
    return [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]


@functools.cache
def manifest(variant: str, version: int = 4) -> str:
    """What Helm renders from a file of values in ci/, in the namespace `monitoring`."""
    values = CHART / "ci" / f"{variant}-values.yaml"
    release = ("asset-index", CHART, "--namespace=monitoring", f"--values={values}")
    return run(helm(version), "template", *release)


@functools.cache
def rendered(variant: str) -> list[Object]:
    return objects(manifest(variant))


def of_kind(kind: str, all_objects: list[Object]) -> list[Object]:
    return [each for each in all_objects if each["kind"] == kind]


def the(kind: str, all_objects: list[Object]) -> Object:
    """The only object of a kind."""
    (found,) = of_kind(kind, all_objects)
    return found


def pod_spec(all_objects: list[Object]) -> Object:
    spec: Object = the("Deployment", all_objects)["spec"]["template"]["spec"]
    return spec


def container(all_objects: list[Object]) -> Object:
    first: Object = pod_spec(all_objects)["containers"][0]
    return first

import re
import sys
from pathlib import Path

from tests.deploy.conftest import accepts

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "binance-asset-index-exporter.service"


def test_systemd_accepts_the_unit(tool, tmp_path):
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub(r"(?m)^ExecStart=\S+", f"ExecStart={sys.executable}", UNIT.read_text()))
    accepts(tool("systemd-analyze", "systemd"), "verify", "--man=no", unit)


def test_the_sandbox_is_tight(tool):
    systemd = tool("systemd-analyze", "systemd")
    accepts(systemd, "security", "--offline=true", "--threshold=13", UNIT)  # 1.3 of 10

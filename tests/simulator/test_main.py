import signal
import socket
import subprocess
import sys

import pytest
import requests

from exporter.simulator.__main__ import main
from exporter.simulator.exchange import ASSET_INDEX

COMMAND = [sys.executable, "-m", "exporter.simulator", "--listen", "127.0.0.1:0"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_runs_until_a_signal(number):
    process = subprocess.Popen(
        [*COMMAND, "--scenario", "depeg", "--seed", "7"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url, _, rest = process.stdout.readline().partition(" ")
    status = requests.get(url + ASSET_INDEX, timeout=5).status_code
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert rest == "plays depeg with seed 7\n"
    assert (status, process.returncode, out, err) == (200, 0, "", "")


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        (["--listen", "9443"], "argument --listen: '9443' is not HOST:PORT"),
        (["--listen", ":9443"], "argument --listen: ':9443' is not HOST:PORT"),
        (["--listen", "localhost:65536"], "argument --listen: 'localhost:65536' is not HOST:PORT"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["--weight-limit", "0"], "argument --weight-limit: '0' is not a number above zero"),
        (["surplus"], "unrecognized arguments: surplus"),
    ],
)
def test_bad_input_gets_one_plain_sentence(argv, complaint, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(argv)
    assert capsys.readouterr().err == f"python -m exporter.simulator: {complaint}\n"


def test_an_unknown_scenario_is_answered_with_the_known_ones(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--scenario", "boom"])
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "'haircut-change'" in err


def test_an_address_in_use_gets_one_plain_sentence(capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert main(["--listen", f"127.0.0.1:{taken.getsockname()[1]}"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("cannot listen: Address already in use")
    assert err.count("\n") == 1


def test_help_lists_the_scenarios(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "\n  outage          503 as JSON" in capsys.readouterr().out

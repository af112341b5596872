import pytest

from exporter import flags
from exporter.simulator.scenarios import SCENARIOS


def refused(capsys, *argv: str) -> str:
    with pytest.raises(SystemExit) as end:
        flags.parse(argv)
    assert end.value.code == 2
    return capsys.readouterr().err


@pytest.mark.parametrize(
    "flag",
    [
        "--config.auto-reload-interval=often",
        "--web.listen-address=9",
        "--web.listen-address=:70000",
        "--web.max-requests=0",
        "--timeout-offset=-1",
        "--timeout-offset=nan",
        "--web.telemetry-path=/probe",
        "--log.level=loud",
        "--demo=none",
    ],
)
def test_an_error_is_one_line_that_names_the_flag(capsys, flag):
    error = refused(capsys, flag)
    assert error.startswith(f"binance-asset-index-exporter: {flag.split('=')[0]}: ")
    assert error.endswith("; see --help\n")
    assert error.count("\n") == 1


def test_an_unknown_flag_is_one_line_too(capsys):
    assert refused(capsys, "--bogus").splitlines() == [
        "binance-asset-index-exporter: unrecognized arguments: --bogus; see --help"
    ]


def test_a_flag_is_not_abbreviated(capsys):
    assert "--web.listen" in refused(capsys, "--web.listen=:1")


def test_warn_is_warning():
    assert flags.parse(["--log.level=warn"]).log_level == "warning"


def test_demo_alone_is_calm():
    assert flags.parse(["--demo"]).demo == "calm"


def test_an_interval_is_a_duration():
    assert flags.parse(["--config.auto-reload-interval=1m30s"]).config_auto_reload_interval == 90


def test_listens_where_the_contract_says():
    assert flags.parse([]).web_listen_address == [":10198"]


@pytest.fixture
def help_text(capsys) -> str:
    with pytest.raises(SystemExit):
        flags.parse(["--help"])
    return capsys.readouterr().out


@pytest.mark.parametrize("name", SCENARIOS)
def test_help_describes_every_scenario(help_text, name):
    assert f"  {name:16}{SCENARIOS[name].description}" in help_text


def test_help_has_groups_examples_and_the_address_of_the_docs(help_text):
    for heading in ("configuration:", "web:", "log", "demo:", "instead of serving:", "examples:"):
        assert f"\n{heading}" in help_text
    assert flags.DOCS in help_text


def test_help_can_be_printed_anywhere(help_text):
    help_text.encode("ascii")

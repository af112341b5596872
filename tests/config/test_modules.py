import json
import os
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from exporter.config import strict_yaml
from exporter.config.errors import ConfigError
from exporter.config.file import Section
from exporter.config.modules import (
    MarginAssetsSettings,
    ModuleSettings,
    Settings,
    dump_settings,
    for_demo,
    load_settings,
)
from exporter.config.symbols import mark_repeated

ROOT = Path(__file__).parents[2]
TESTDATA = Path(__file__).parents[1] / "testdata" / "config"


def refusal(file):
    with pytest.raises(ConfigError) as error:
        load_settings(file)
    return error.value


def write(folder, text):
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def keys(section):
    """Every key path there is below a section of the model, modules being `*`."""
    for name, field in section.model_fields.items():
        yield (name,)
        inner = ModuleSettings if name == "modules" else field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            between = ("default",) if name == "modules" else ()
            yield from ((name, *between, *rest) for rest in keys(inner))


def test_has_a_configuration_without_a_file():
    module = load_settings(None).modules["default"]
    assert module.base_url == "https://fapi.binance.com"
    assert module.symbols == ()
    assert (module.timeout, module.min_interval) == (5, 0)
    assert module.margin_assets.refresh_interval == 600


@pytest.mark.parametrize("text", ["{}", "modules: {}", "modules: {default: {}}"])
def test_takes_the_default_of_whatever_is_left_out(tmp_path, text):
    assert load_settings(write(tmp_path, text)) == Settings()


def test_reads_every_key(tmp_path, certificate):
    (tmp_path / "ca.pem").write_bytes(certificate("ca").cert)
    file = write(
        tmp_path,
        """
modules:
  default:
    base_url: https://testnet.binancefuture.com/
    symbols: [BTCUSD, 1INCHUSD, 币安人生USD]
    timeout: 1s500ms
    min_interval: 1m30s
    weight_ceiling_ratio: 1
    max_body_bytes: 1024
    proxy_url: http://user:hunter2@proxy:3128
    ca_file: ca.pem
    margin_assets:
      enabled: false
      refresh_interval: 12h
""",
    )
    assert load_settings(file).modules["default"] == ModuleSettings(
        base_url="https://testnet.binancefuture.com",
        symbols=("BTCUSD", "1INCHUSD", "币安人生USD"),
        timeout="1s500ms",
        min_interval="1m30s",
        weight_ceiling_ratio=1.0,
        max_body_bytes=1024,
        proxy_url="http://user:hunter2@proxy:3128",
        ca_file=str(tmp_path / "ca.pem"),
        margin_assets=MarginAssetsSettings(enabled=False, refresh_interval="12h"),
    )


def test_gives_durations_in_seconds():
    assert ModuleSettings(timeout="1s500ms").timeout == 1.5


def test_does_not_hand_defaults_from_module_to_module(tmp_path):
    settings = load_settings(write(tmp_path, "modules: {default: {timeout: 9s}, other: {}}"))
    assert settings.modules["other"].timeout == 5


def test_takes_a_zero_without_a_unit(tmp_path):
    file = write(tmp_path, 'modules: {default: {min_interval: 0}, other: {min_interval: "0"}}')
    assert [module.min_interval for module in load_settings(file).modules.values()] == [
        0,
        0,
    ]


def test_reads_a_file_with_a_byte_order_mark(tmp_path):
    assert load_settings(write(tmp_path, "\ufeffmodules: {}\n")) == Settings()


@pytest.mark.parametrize("file", sorted(TESTDATA.glob("*.bad.yaml")), ids=lambda file: file.name)
def test_reports_the_error_that_the_first_line_of_the_file_names(file):
    error = file.read_bytes().splitlines()[0].decode().removeprefix("# ")
    assert str(refusal(file)) == f"{file}:{error}"


def test_refuses_a_ca_file_that_holds_revocation_lists_only(tmp_path, certificate):
    (tmp_path / "ca.pem").write_bytes(certificate("ca").revocation_list)
    file = write(tmp_path, "modules: {default: {ca_file: ca.pem}}")
    assert str(refusal(file)).endswith('got "ca.pem": no PEM certificate in it')


def test_reports_all_errors_at_once_in_the_order_of_the_file(tmp_path):
    file = write(
        tmp_path,
        """modules:
  main:
    timeout: 1:30
    timeout: 2s
    symbols: [btcusd, BTCUSD, x, BTCUSD]
    margin_assets:
      enabled: no
      every: 5m
  5: {}
""",
    )
    lines = refusal(file).lines
    assert [line.split(":")[1] for line in lines] == ["1", "3", "4", "5", "5", "5", "7", "8", "9"]


@pytest.mark.parametrize("name", ["absent.yaml", ".", "not_pem.txt/x.yaml"])
def test_reports_why_a_file_cannot_be_read(name):
    assert re.fullmatch(r".*: cannot be read: [A-Z][a-z ]+", str(refusal(TESTDATA / name)))


def test_refuses_a_file_that_is_some_other_file(tmp_path):
    file = write(tmp_path, "#" * (1 << 20) + "\n")
    assert str(refusal(file)) == f"{file}: larger than 1 MiB"


@pytest.mark.parametrize(
    "text",
    [
        "proxy_url: http://user:hunter2@",
        "proxy_url: user:hunter2@proxy",
        "proxy_url: [http://user:hunter2@proxy]",
        "proxy_url: *hunter2",
        "proxy_url: &hunter2 ''",
        "proxy_url: !hunter2 ''",
        "proxy_url: !hunter2!x ''",
        "proxy_url: 'http://user:hunter2@proxy",
        "proxy_url:http://user:hunter2@proxy",
        "base_url: https://user:hunter2@fapi.binance.com",
        "ca_file: http://user:hunter2@proxy",
        "symbols: http://user:hunter2@proxy",
        "{proxy_url:http://user:hunter2@proxy}",
        "{http://user:hunter2@proxy: 1}",
    ],
)
def test_never_shows_a_password(tmp_path, text):
    file = write(tmp_path, f"modules:\n  default:\n    {text}\n")
    with pytest.raises(ConfigError) as error:
        load_settings(file)
    assert "hunter2" not in str(error.value)
    assert error.value.__context__ is None or error.value.__suppress_context__


def test_shows_no_password_when_a_module_is_printed():
    assert "hunter2" not in repr(ModuleSettings(proxy_url="http://user:hunter2@proxy"))


def test_cannot_be_changed():
    with pytest.raises(ValidationError):
        load_settings(None).modules["default"].timeout = 1.0


def error_lines_of(file):
    """What a file is refused for; any other error is the test's."""
    try:
        load_settings(file)
    except ConfigError as error:
        return error.lines
    return ()


@pytest.mark.fuzz
@given(text=st.text() | st.text("modules:default{}[]\n -\"'&*!|0159sé#"))
def test_no_text_raises_anything_else(tmp_path_factory, text):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(text, encoding="utf-8", errors="replace")
    assert [error for error in error_lines_of(file) if len(error.splitlines()) != 1] == []


@pytest.mark.fuzz
@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
        max_leaves=4,
    ),
    key=st.sampled_from([*ModuleSettings.model_fields]),
)
def test_no_value_of_a_key_raises_anything_else(tmp_path_factory, key, value):
    file = tmp_path_factory.getbasetemp() / "any.yaml"
    file.write_text(json.dumps({"modules": {"default": {key: value}}}))
    assert [error for error in error_lines_of(file) if len(error.splitlines()) != 1] == []


def test_dumps_what_loads_as_the_same(tmp_path):
    settings = Settings(
        modules={
            "default": ModuleSettings(symbols=("BTCUSD", "1E3", "010"), timeout="250ms"),
            "other": ModuleSettings(base_url="http://[::1]:8080/prefix", min_interval="90s"),
        }
    )
    assert load_settings(write(tmp_path, dump_settings(settings))) == settings


def test_dumps_every_key():
    dumped = strict_yaml.parse(dump_settings(Settings()), Path())
    assert {path for path in dumped.lines if path} == {
        *keys(Settings),
        ("modules", "default"),
    }


def test_dumps_no_password():
    settings = Settings(modules={"default": ModuleSettings(proxy_url="http://u:p%40@h:3128")})
    assert "proxy_url: http://<secret>@h:3128\n" in dump_settings(settings)


def test_has_an_example_that_is_the_built_in_configuration():
    assert load_settings(ROOT / "config.example.yaml") == Settings()


def test_has_an_example_that_names_every_key():
    file = ROOT / "config.example.yaml"
    document = strict_yaml.parse(file.read_text(), file)
    assert {*document.lines} >= {*keys(Settings)}


def test_has_an_example_whose_second_module_loads(tmp_path):
    text = (ROOT / "config.example.yaml").read_text()
    uncommented = re.sub(r"^  # (?=collateral:|  )", "  ", text, flags=re.MULTILINE)
    module = load_settings(write(tmp_path, uncommented)).modules["collateral"]
    assert module.symbols == ("BTCUSD", "ETHUSD", "USDCUSD")


def test_has_a_schema_that_begins_the_example():
    first = (ROOT / "config.example.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=docs/config.schema.json"


@pytest.fixture
def proxied(tmp_path) -> Path:
    """A configuration that names a file with a proxy's URL."""
    (tmp_path / "proxy_url.txt").write_text("http://user:hunter2@proxy:3128/\n")
    return write(tmp_path, "modules: {default: {proxy_url_file: proxy_url.txt}}")


def test_reads_the_url_of_a_proxy_from_a_file(proxied):
    module = load_settings(proxied).modules["default"]
    assert module.proxy == "http://user:hunter2@proxy:3128"


def test_a_file_with_another_proxy_makes_other_settings(proxied):
    before = load_settings(proxied)
    assert load_settings(proxied) == before
    (proxied.parent / "proxy_url.txt").write_text("http://user:hunter3@proxy:3128\n")
    assert load_settings(proxied) != before


def test_shows_if_the_url_of_a_proxy_is_and_not_what_it_is(proxied):
    settings = load_settings(proxied)
    assert f"proxy_url_file: {proxied.parent / 'proxy_url.txt'}\n" in dump_settings(settings)
    assert "hunter2" not in dump_settings(settings) + repr(settings)


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff", b"http://" + 5000 * b"p"])
def test_refuses_a_file_without_the_url_of_a_proxy(proxied, content):
    (proxied.parent / "proxy_url.txt").write_bytes(content)
    assert "modules.default.proxy_url_file: expected a readable file" in str(refusal(proxied))


def test_a_refused_proxy_file_does_not_show_its_password(proxied):
    (proxied.parent / "proxy_url.txt").write_text("http://user:hunter2@proxy:3128/path")
    assert "hunter2" not in str(refusal(proxied))


def test_a_demo_uses_no_proxy_and_refreshes_margin_assets_often(proxied):
    module = for_demo(load_settings(proxied), "http://localhost:1").modules["default"]
    assert (module.base_url, module.proxy, module.margin_assets.refresh_interval) == (
        "http://localhost:1",
        "",
        30,
    )


def test_checking_symbols_costs_in_proportion_to_their_number():
    class Counted(str):
        __slots__ = ()
        compared = 0
        __hash__ = str.__hash__

        def __eq__(self, other: object) -> bool:
            Counted.compared += 1
            return str.__eq__(self, other)

    symbols = tuple(Counted(f"A{number}USD") for number in range(500))
    assert mark_repeated(symbols) == list(symbols)
    assert Counted.compared < 10 * len(symbols)


@pytest.mark.parametrize("key", ["ca_file", "proxy_url_file"])
def test_a_pipe_without_a_writer_in_place_of_a_file_holds_nothing_up(tmp_path, key):
    os.mkfifo(tmp_path / "pipe")
    file = write(tmp_path, f"modules: {{default: {{{key}: pipe}}}}")
    assert f"modules.default.{key}: expected a readable file" in str(refusal(file))

"""TLS, passwords and headers, as the installed command serves them."""

import bcrypt
import pytest
import requests
import yaml

from tests.end_to_end.conftest import PATIENCE, running


@pytest.fixture
def web_config(tmp_path, certificate):
    certificate("localhost").write(tmp_path)
    hashed = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()
    file = tmp_path / "web.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "tls_server_config": {"cert_file": "cert.pem", "key_file": "key.pem"},
                "basic_auth_users": {"prometheus": hashed},
                "http_server_config": {"headers": {"X-Frame-Options": "deny"}},
            }
        )
    )
    return f"--web.config.file={file}"


def test_only_those_who_know_the_password_come_in_and_over_tls(web_config, tmp_path):
    with running("--demo", web_config, scheme="https") as exporter:
        url = exporter.url.replace("127.0.0.1", "localhost") + "/metrics"
        trust = str(tmp_path / "cert.pem")
        stranger = requests.get(url, verify=trust, timeout=PATIENCE)
        known = requests.get(url, verify=trust, auth=("prometheus", "secret"), timeout=PATIENCE)
        with pytest.raises(requests.ConnectionError):
            requests.get(url.replace("https:", "http:"), timeout=PATIENCE)
    assert stranger.status_code == 401
    assert "binance_asset_index" not in stranger.text
    assert "binance_asset_index_up 1.0" in known.text
    assert known.headers["X-Frame-Options"] == "deny"

"""Where the registry is: a path or a URL, by flag, environment or settings file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

SECRET = "s3cret"  # noqa: S105 - of nobody
NOWHERE = f"postgresql://me:{SECRET}@127.0.0.1:1/db"


def test_a_server_that_does_not_answer_is_named_without_the_password(toolguild: Any) -> None:
    for command in (["tools", "list"], ["tools", "show", "x"], ["call", "x"]):
        ran = toolguild(*command, "--registry", NOWHERE)
        assert ran.code == 3
        assert "postgresql://me:***@127.0.0.1:1/db: cannot connect; check that" in ran.err
        assert SECRET not in ran.out + ran.err


def test_the_environment_may_hold_a_url(toolguild: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOLGUILD_REGISTRY", NOWHERE)
    assert "me:***@127.0.0.1" in toolguild("tools", "list").err


def test_help_and_doctor_show_no_password_of_the_settings_file(
    toolguild: Any, tmp_path: Path
) -> None:
    (tmp_path / "toolguild.toml").write_text(f'registry = "{NOWHERE}"\n')
    told = toolguild("tools", "list", "--help")
    assert "me:***@" in told.out.replace("\n", "")
    doctor = toolguild("doctor", "--json")
    [check] = [check for check in doctor.json["checks"] if check["name"] == "registry"]
    assert not check["ok"]
    assert "cannot connect" in check["detail"]
    for ran in (told, doctor, toolguild("doctor")):
        assert SECRET not in ran.out + ran.err


@pytest.mark.postgres
def test_commands_work_on_a_server(toolguild: Any, postgres_server: Any) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE DATABASE cli")
    where = postgres_server.url("cli", sslpassword=SECRET)

    def checked() -> str:
        ran = toolguild("doctor", "--json", "--registry", where)
        [check] = [check for check in ran.json["checks"] if check["name"] == "registry"]
        assert check["ok"]
        assert SECRET not in ran.out
        return str(check["detail"])

    assert checked().startswith("none yet; the first tools make postgresql://toolguild@/cli")
    assert checked().startswith("none yet")  # looking made nothing
    ran = toolguild("tools", "list", "--registry", where)
    assert (ran.code, SECRET in ran.err) == (0, False)
    assert "No tools in postgresql://toolguild@/cli" in ran.err
    assert checked().startswith("PostgreSQL ")
    assert checked().endswith("0 tools")

"""The data folder: one owner, clear sentences for folders that cannot be used, engines that come back."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from meterhouse.kernel.errors import Conflict, DependencyFailed, Invalid
from meterhouse.platform.embedded import DataFolder, EmbeddedPostgres, supervised
from meterhouse.platform.postgres import PostgresDatabase


def test_a_folder_has_one_owner(tmp_path: Path):
    first = DataFolder(tmp_path)
    first.open()
    script = (
        "import sys; from pathlib import Path; from meterhouse.platform.embedded import DataFolder\n"
        "try: DataFolder(Path(sys.argv[1])).open()\n"
        "except Exception as error: print(error); sys.exit(3)"
    )
    second = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 3
    assert f"process {os.getpid()}" in second.stdout
    assert "Stop it first" in second.stdout
    first.close()
    DataFolder(tmp_path).open()


def test_second_opening_in_the_same_process_conflicts(tmp_path: Path):
    first = DataFolder(tmp_path)
    first.open()
    with pytest.raises(Conflict):
        DataFolder(tmp_path).open()
    first.close()


def test_a_path_that_is_no_folder_is_refused(tmp_path: Path):
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(Invalid, match="cannot be written to"):
        DataFolder(file / "below").open()


@pytest.mark.parametrize("content", ["15\n", "", "\x00\xff garbage", "999999"])
def test_a_folder_of_another_version_is_refused_in_one_sentence(tmp_path: Path, content: str):
    folder = tmp_path / "postgres"
    folder.mkdir()
    (folder / "PG_VERSION").write_text(content)
    with pytest.raises(Invalid, match="needs version 18") as caught:
        EmbeddedPostgres(folder).start()
    assert "\n" not in str(caught.value)


def test_a_damaged_folder_is_refused_in_one_sentence(tmp_path: Path):
    engine = EmbeddedPostgres(tmp_path / "postgres")
    engine.start()
    engine.stop()
    (tmp_path / "postgres" / "global" / "pg_control").write_bytes(b"broken")
    with pytest.raises(DependencyFailed, match="does not start") as caught:
        EmbeddedPostgres(tmp_path / "postgres").start()
    assert "\n" not in str(caught.value)


async def test_a_killed_engine_comes_back_with_its_data(tmp_path: Path):
    from sqlalchemy import text

    engine = EmbeddedPostgres(tmp_path / "postgres")
    database = PostgresDatabase(engine.start())
    async with database.begin() as connection:
        await connection.execute(text("CREATE TABLE kept (n int)"))
        await connection.execute(text("INSERT INTO kept VALUES (7)"))
    async with supervised(engine):
        killed = engine._server.get_pid()
        os.kill(killed, signal.SIGKILL)
        async with asyncio.timeout(30):
            while engine._server.get_pid() == killed:
                await asyncio.sleep(0.05)
            while True:
                try:
                    async with database.begin() as connection:
                        found = (await connection.execute(text("SELECT n FROM kept"))).scalar()
                    break
                except DependencyFailed as error:
                    assert error.code == "database_unavailable"
                    await asyncio.sleep(0.1)
    assert found == 7
    await database.close()
    engine.stop()

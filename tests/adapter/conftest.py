import os
import shutil
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "adapters" / "nni"))
sys.path.insert(0, str(Path(__file__).parent))


def pytest_configure(config):
    config.addinivalue_line("markers", "integration: starts the real nnictl and hyperfd-tuner")


@pytest.fixture
def short_tmp():
    """A folder whose path leaves room for a socket's name (107 bytes), unlike tmp_path's."""
    folder = tempfile.mkdtemp(prefix="hfd-", dir="/tmp")
    yield Path(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def fake_programs(tmp_path, monkeypatch):
    """A folder with the fake tuner as `hyperfd-tuner`, used by everything that looks for programs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "hyperfd-tuner"
    fake = Path(__file__).parent / "fake_tuner.py"
    program.write_text(f"#!{sys.executable}\nimport runpy, sys\nsys.argv[0] = {str(fake)!r}\nrunpy.run_path({str(fake)!r}, run_name='__main__')\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("HYPERFD_BIN_DIR", str(folder))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    return folder


@pytest.fixture
def endpoint(short_tmp):
    """Of a real tuner with an empty store."""
    from nnictl import PROGRAMS

    address = f"ipc://{short_tmp}/socket"
    server = subprocess.Popen([PROGRAMS / "hyperfd-tuner", "serve", "--store", short_tmp / "store.sqlite", "--endpoint", address])
    yield address
    server.terminate()
    assert server.wait(20) == 0

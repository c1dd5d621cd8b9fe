"""A Unix socket's file: made, kept from others, and taken away again."""

from __future__ import annotations

import os
import shutil
import socket
import stat
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sse_io.unix_listener import UnixListener


@pytest.fixture
def path() -> Iterator[Path]:
    """Short, as a Unix socket's path has 107 bytes at most."""
    folder = Path(tempfile.mkdtemp())
    yield folder / "x.sock"
    shutil.rmtree(folder)


def connect(path: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    return client


def abandon(path: Path) -> None:
    """Leave a file at which nobody listens, as a process that was killed does."""
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_it_listens_and_leaves_nothing(path: Path, mode: int) -> None:
    listener = UnixListener(str(path), mode)
    with connect(path), listener.accept()[0] as accepted:
        assert type(accepted) is socket.socket
        assert stat.S_IMODE(path.lstat().st_mode) == mode
    listener.close()
    assert not path.exists()
    listener.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has names without a file")
def test_a_name_without_a_file() -> None:
    name = f"\0sse-io-{os.getpid()}"
    for _ in range(2):
        with UnixListener(name), socket.socket(socket.AF_UNIX) as client:
            client.connect(name)
            with pytest.raises(OSError, match="in use"):
                UnixListener(name)


def test_what_was_left_behind_is_replaced(path: Path) -> None:
    abandon(path)
    with UnixListener(str(path)), connect(path):
        pass
    assert not path.exists()


def test_where_somebody_listens_nobody_else_does(path: Path) -> None:
    with UnixListener(str(path)):
        with pytest.raises(OSError, match="in use"):
            UnixListener(str(path))
        with connect(path):
            pass


def test_somebody_whose_backlog_is_full_listens_too(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(str(path))
        busy.listen(0)
        with connect(path), pytest.raises(OSError, match="in use"):
            UnixListener(str(path))


def test_what_is_no_socket_stays(path: Path) -> None:
    path.write_text("mine")
    with pytest.raises(OSError, match="File exists, and is no socket"):
        UnixListener(str(path))
    assert path.read_text() == "mine"


def test_a_folder_that_is_not_there(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        UnixListener(str(path / "x"))


def test_a_file_that_is_anothers_by_now_stays(path: Path) -> None:
    listener = UnixListener(str(path))
    path.unlink()
    listener.close()
    listener = UnixListener(str(path))
    path.unlink()
    abandon(path)
    listener.close()
    assert path.exists()


def test_a_child_process_leaves_its_parents_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    listener = UnixListener(str(path))
    child = os.getpid() + 1
    with monkeypatch.context() as patched:
        patched.setattr("sse_io.unix_listener.os.getpid", lambda: child)
        listener.close()
    assert path.exists()


def test_it_is_removed_wherever_the_process_has_gone(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    listener = UnixListener(path.name)
    monkeypatch.chdir("/")
    listener.close()
    assert not path.exists()


def test_a_file_that_cannot_be_removed(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder may have been made another's; the end goes on."""

    def refuse(_: object) -> None:
        raise PermissionError

    listener = UnixListener(str(path))
    with monkeypatch.context() as patched:
        patched.setattr("sse_io.unix_listener.Path.unlink", refuse)
        listener.close()
    assert path.exists()

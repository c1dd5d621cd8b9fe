"""A Unix socket that listens at a path, and takes its file away again.

A process that was killed leaves its file behind, and nobody can bind to a path that is there.  So a file at
which nobody listens is removed; one at which somebody does, or which is no socket, is not.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path

from .listeners import BACKLOG

#: Who may connect, which on Linux is to write: the server's own user.
DEFAULT_MODE = 0o600


class UnixListener(socket.socket):
    """Listens at ``path``; ``close`` removes the file, if it is still the one that was made here.

    - ``path``: of the file, whose folder is there.  On Linux a name that begins with NUL has no file, and is
      gone with its socket.
    - ``mode``: the permissions of the file, as of ``os.chmod``.

    Raises ``OSError`` if somebody listens there already, or if what is there is no socket.
    """

    def __init__(self, path: str, mode: int = DEFAULT_MODE) -> None:
        super().__init__(socket.AF_UNIX, socket.SOCK_STREAM)
        self._path = Path(path).absolute()  # the working directory may be another one in the end
        self._file: tuple[int, int] | None = None
        self._process = os.getpid()
        try:
            if path.startswith("\0"):
                self.bind(path)
            else:
                self._bind_to_file(path, mode)
            self.listen(BACKLOG)
        except BaseException:
            self.close()
            raise

    def _bind_to_file(self, path: str, mode: int) -> None:
        _remove_abandoned(self._path)
        self.bind(path)
        self._file = _file_at(self._path)
        self._path.chmod(mode)  # nobody can connect before it listens

    def close(self) -> None:
        """Listen no more, and remove the file; idempotent."""
        file, self._file = self._file, None
        # A child process that was forked has the socket, too, and its end is not this one's.
        if file is not None and os.getpid() == self._process and _file_at(self._path) == file:
            with contextlib.suppress(OSError):
                self._path.unlink()
        super().close()


def _file_at(path: Path) -> tuple[int, int] | None:
    """Which file is at ``path``: its device and number there."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _remove_abandoned(path: Path) -> None:
    """Remove a socket's file at ``path`` if nobody listens there."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise OSError(errno.EEXIST, f"{os.strerror(errno.EEXIST)}, and is no socket", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(0)
        refused = probe.connect_ex(str(path)) == errno.ECONNREFUSED
    if not refused:
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE), str(path))
    path.unlink()

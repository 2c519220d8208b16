"""Asks the kernel who is at the other end of a Unix socket."""

from __future__ import annotations

import socket
import struct
import sys
from typing import Protocol

#: ``struct ucred`` of Linux (unix(7)): process, user, group.
_UCRED = struct.Struct("iII")
#: The beginning of ``struct xucred`` of macOS and the BSDs (sys/ucred.h): version, user; sixteen groups follow.
_XUCRED = struct.Struct("II")
_XUCRED_BYTES = 76
#: Of sys/un.h there; Python has no names for them on every version.
_SOL_LOCAL, _LOCAL_PEERCRED, _LOCAL_PEERPID = 0, 1, 2
_PID = struct.Struct("i")


class _Socket(Protocol):
    def getsockopt(self, level: int, option: int, size: int, /) -> bytes: ...


def peer_user(connection: _Socket, platform: str = sys.platform) -> int | None:
    """Return the user id of the process that connected; None if the system does not tell."""
    try:
        if platform.startswith("linux"):
            return int(_UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))[1])
        if platform == "darwin" or "bsd" in platform:
            found = connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERCRED, _XUCRED_BYTES)
            return int(_XUCRED.unpack_from(found)[1])
    except (OSError, struct.error):
        pass
    return None


def peer_process(connection: _Socket, platform: str = sys.platform) -> int | None:
    """Return the id of the process that listens at the other end; None if the system does not tell."""
    try:
        if platform.startswith("linux"):
            return (
                int(_UCRED.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))[0]) or None
            )
        if platform == "darwin":
            return int(_PID.unpack(connection.getsockopt(_SOL_LOCAL, _LOCAL_PEERPID, _PID.size))[0]) or None
    except (OSError, struct.error):
        pass
    return None

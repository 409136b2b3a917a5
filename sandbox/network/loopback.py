"""The one network interface that a new network namespace has, and has switched off."""

from __future__ import annotations

import fcntl
import socket
import struct

__all__ = ["bring_up_loopback"]

# From include/uapi/linux/sockios.h and include/uapi/linux/if.h.
_SIOCGIFFLAGS = 0x8913
_SIOCSIFFLAGS = 0x8914
_IFF_UP = 1
_REQUEST = struct.Struct("=16sH22x")  # struct ifreq: a name, and here the flags of a union


def bring_up_loopback() -> None:
    """Switch the loopback interface on, so that 127.0.0.1 and ::1 can be connected to.

    Raises:
        OSError: this process has no CAP_NET_ADMIN over its network namespace.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        request = _REQUEST.pack(b"lo", 0)
        _, flags = _REQUEST.unpack(fcntl.ioctl(any_socket, _SIOCGIFFLAGS, request))
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, _REQUEST.pack(b"lo", flags | _IFF_UP))

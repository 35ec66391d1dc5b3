"""Addresses that no request goes to: there clouds keep the secrets of a machine.

A host has many spellings, and a name may stand for another address at each request. The host of a
base URL is therefore checked when it is read, and the address of each connection before it opens.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from typing import Any

from ethogram.errors import BackendError

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
#: Services that hand out a machine's credentials at an address that is not link-local: of AWS and
#: Google over IPv6, Alibaba, Oracle and Azure.
_METADATA = {
    ipaddress.ip_address(each)
    for each in (
        "fd00:ec2::254",
        "fd20:ce::254",
        "100.100.100.200",
        "192.0.0.192",
        "168.63.129.16",
    )
}
#: IPv6 networks whose last 32 bits are an IPv4 address: NAT64, and IPv4-compatible.
_WITH_IPV4 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("::/96"))


def is_refused(host: str) -> bool:
    """Whether a host is written as a refused address, in any of its spellings; asks no server."""
    plain = unicodedata.normalize("NFKC", host).partition("%")[0].rstrip(".")
    try:
        return _is_refused(ipaddress.ip_address(plain))
    except ValueError:
        pass
    try:
        # One number, octal, hexadecimal, fewer than four parts: as the system reads them.
        return _is_refused(ipaddress.IPv4Address(socket.inet_aton(plain)))
    except (OSError, ValueError):
        return False


def _is_refused(address: _Address) -> bool:
    return any(each.is_link_local or each in _METADATA for each in (address, *_inside(address)))


def _inside(address: _Address) -> list[_Address]:
    """The IPv4 addresses that an IPv6 address stands for."""
    if isinstance(address, ipaddress.IPv4Address):
        return []
    found: list[_Address] = [each for each in (address.ipv4_mapped, address.sixtofour) if each]
    if any(address in network for network in _WITH_IPV4):
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF))
    return found


def check_connections(client: Any, where: str) -> None:
    """Let an httpx client look up each host itself, and refuse what its name stands for.

    The connection then goes to the address that was checked. Where the environment names a proxy,
    the proxy looks names up, and this has no say.

    Args:
        client: of httpx; no connection of it is open.
        where: the address of the API, for messages.
    """
    import httpcore2

    class Checked(httpcore2.SyncBackend):
        def connect_tcp(self, host: str, port: int, *args: Any, **options: Any) -> Any:
            failure: Exception = httpcore2.ConnectError(f"{host} has no address")
            for address in addresses(host, port):
                if is_refused(address):
                    raise BackendError(
                        f"{host} stands for {address}, an address that is refused",
                        where=where,
                        hint="write the address of the API itself",
                    )
                try:
                    return super().connect_tcp(address, port, *args, **options)
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    failure = error
            raise failure

    def addresses(host: str, port: int) -> list[str]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(str(error)) from error
        return list(dict.fromkeys(str(each[4][0]) for each in found))

    client._transport._pool._network_backend = Checked()

"""Which internet addresses are public, and which are never meant by a name.

The standard library's `is_global` follows IANA's registries as they were when that Python came out,
and passes on addresses that only lead to others; so here a few are taken apart, and for version 6
only what is handed out as global unicast counts at all.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

__all__ = ["IPAddress", "is_metadata", "is_public"]

IPAddress: TypeAlias = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: the rest of it is an address of version 4

# From https://www.iana.org/assignments/iana-ipv4-special-registry and its sibling for version 6;
# Pythons of different age know different parts of them.
_SPECIAL_4 = (
    IPv4Network("100.64.0.0/10"),  # shared by a provider's customers
    IPv4Network("192.0.0.0/24"),  # protocols
    IPv4Network("192.88.99.0/24"),  # relays to version 6, withdrawn
)
_SPECIAL_6 = (
    IPv6Network("2001::/23"),  # protocols, Teredo among them
    IPv6Network("2001:db8::/32"),  # documentation
    IPv6Network("3fff::/20"),  # documentation
)

# What answers a virtual machine's questions about itself, with its credentials too: all link-local
# addresses, and those that clouds took from elsewhere (AWS, Azure, Alibaba, Oracle).
_METADATA_6 = IPv6Network("fd00:ec2::/32")
_METADATA_4 = frozenset(
    IPv4Address(text) for text in ("168.63.129.16", "100.100.100.200", "192.0.0.192")
)


def is_public(address: IPAddress) -> bool:
    """Return whether an address belongs to somebody on the internet at large.

    One of version 6 that stands for one of version 4 (mapped, 6to4, NAT64) is what that one is.
    """
    address = _meant(address)
    if is_metadata(address) or not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv4Address):
        return not (address.is_reserved or any(address in special for special in _SPECIAL_4))
    return address in _GLOBAL_UNICAST and not any(address in special for special in _SPECIAL_6)


def is_metadata(address: IPAddress) -> bool:
    """Return whether a cloud tells the machines at this address what only they should know."""
    address = _meant(address)
    if isinstance(address, IPv4Address):
        return address.is_link_local or address in _METADATA_4
    return address.is_link_local or address in _METADATA_6


def _meant(address: IPAddress) -> IPAddress:
    """Return the address of version 4 that one of version 6 leads to; others as they are."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address

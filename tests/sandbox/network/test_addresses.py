"""Which addresses count as public: everything else must be out of reach of whoever names it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox.network.addresses import is_metadata, is_public

V4 = {
    "8.8.8.8": True,
    "93.184.216.34": True,
    "223.255.255.255": True,
    "0.0.0.0": False,  # noqa: S104 - nothing is bound to it
    "0.1.2.3": False,
    "10.0.0.1": False,
    "100.64.0.1": False,
    "100.100.100.200": False,
    "127.0.0.1": False,
    "127.255.255.254": False,
    "168.63.129.16": False,
    "169.254.169.254": False,
    "172.16.0.1": False,
    "172.31.255.255": False,
    "172.32.0.1": True,
    "192.0.0.8": False,
    "192.0.0.192": False,
    "192.0.2.1": False,
    "192.88.99.1": False,
    "192.168.1.1": False,
    "198.18.0.1": False,
    "198.51.100.1": False,
    "203.0.113.1": False,
    "224.0.0.1": False,
    "239.255.255.255": False,
    "240.0.0.1": False,
    "255.255.255.255": False,
}
V6 = {
    "2606:2800:220:1::1": True,
    "2a00:1450:4001::8a": True,
    "::": False,
    "::1": False,
    "::8.8.8.8": False,
    "64:ff9b:1::1": False,
    "100::1": False,
    "2001::1": False,
    "2001:db8::1": False,
    "3fff::1": False,
    "5f00::1": False,
    "fc00::1": False,
    "fd00:ec2::254": False,
    "fe80::1": False,
    "fec0::1": False,
    "ff02::1": False,
    "ff0e::1": False,
}


@pytest.mark.parametrize(("text", "public"), (V4 | V6).items())
def test_an_address_is_public_or_not(text, public) -> None:
    assert is_public(ip_address(text)) is public


@pytest.mark.parametrize(("text", "public"), V4.items())
def test_what_stands_for_an_address_of_version_4_is_what_that_is(text, public) -> None:
    number = int(IPv4Address(text))
    mapped = IPv6Address((0xFFFF << 32) | number)
    six_to_four = IPv6Address((0x2002 << 112) | (number << 80))
    nat64 = IPv6Address((0x64FF9B << 96) | number)
    for address in (mapped, six_to_four, nat64):
        assert is_public(address) is public, address
        assert is_metadata(address) is is_metadata(IPv4Address(text)), address


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254", "169.254.170.2", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        "fd00:ec2::254", "fe80::a9fe:a9fe", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254",
    ],
)  # fmt: skip
def test_metadata_of_clouds_is_known(text) -> None:
    assert is_metadata(ip_address(text))


@pytest.mark.parametrize("text", ["127.0.0.1", "10.0.0.1", "8.8.8.8", "::1", "fd12::1"])
def test_other_addresses_are_no_metadata(text) -> None:
    assert not is_metadata(ip_address(text))


@given(st.ip_addresses(v=4))
def test_nothing_is_public_that_python_knows_to_be_special(address) -> None:
    special = (
        address.is_private
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )
    assert not (special and is_public(address))

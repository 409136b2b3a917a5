"""Entries of hosts: what they mean, and that there is one way only to write each host."""

from __future__ import annotations

import string
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from toolguild.sandbox.network.hosts import WEB_PORTS, Admission, Target, normal_host, parse_hosts

NO, PUBLIC, NAMED, LITERAL = Admission.NO, Admission.PUBLIC, Admission.NAMED, Admission.LITERAL

LABELS = st.text(string.ascii_lowercase, min_size=1, max_size=8)
NAMES = st.lists(LABELS, min_size=1, max_size=4).map(".".join)
ADDRESSES = st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda each: f"[{each}]")
HOSTS = NAMES | ADDRESSES
PORTS = st.integers(1, 65535)


def admits(entries: set[str] | None, target: str) -> Admission:
    hosts = None if entries is None else frozenset(entries)
    return parse_hosts(hosts).admits(Target.parse(target))


@pytest.mark.parametrize(
    ("entry", "target", "expected"),
    [
        ("example.org", "example.org:443", NAMED),
        ("example.org", "example.org:80", NAMED),
        ("example.org", "example.org:8443", NO),
        ("example.org", "www.example.org:443", NO),
        ("example.org", "example.org.evil.net:443", NO),
        ("example.org", "badexample.org:443", NO),
        ("example.org", "EXAMPLE.org.:443", NAMED),
        ("Example.ORG.", "example.org:443", NAMED),
        ("example.org:8443", "example.org:8443", NAMED),
        ("example.org:8443", "example.org:443", NO),
        ("*.example.org", "a.example.org:443", PUBLIC),
        ("*.example.org", "a.b.example.org:443", PUBLIC),
        ("*.example.org", "example.org:443", NO),
        ("*.example.org", "badexample.org:443", NO),
        ("*.example.org:81", "a.example.org:81", PUBLIC),
        ("*.example.org:81", "a.example.org:443", NO),
        ("bücher.example", "xn--bcher-kva.example:443", NAMED),
        ("BÜCHER.example", "xn--bcher-kva.example:443", NAMED),
        ("日本語。jp", "xn--wgv71a119e.jp:443", NAMED),
        ("192.0.2.1", "192.0.2.1:80", LITERAL),
        ("192.0.2.1", "192.0.2.10:80", NO),
        ("192.0.2.1", "[::ffff:192.0.2.1]:80", NO),
        ("[2001:DB8::0:1]", "[2001:db8:0::1]:443", LITERAL),
        ("[2001:db8::1]:8443", "[2001:db8::1]:8443", LITERAL),
        ("[2001:db8::1]:8443", "[2001:db8::1]:443", NO),
        ("localhost:8000", "localhost:8000", NAMED),
        ("localhost:8000", "127.0.0.1:8000", NO),
    ],
)
def test_an_entry_admits(entry, target, expected) -> None:
    assert admits({entry}, target) is expected


def test_no_entry_admits_nothing() -> None:
    assert admits(set(), "example.org:443") is NO


def test_all_public_hosts_are_admitted_at_the_ports_of_the_web() -> None:
    assert admits(None, "example.org:443") is PUBLIC
    assert admits(None, "192.0.2.1:80") is PUBLIC
    assert admits(None, "example.org:25") is NO


def test_where_several_entries_fit_the_widest_wins() -> None:
    assert admits({"*.example.org", "nas.example.org"}, "nas.example.org:443") is NAMED
    assert admits({"*.example.org", "nas.example.org"}, "www.example.org:443") is PUBLIC
    assert admits({"example.org:81", "example.org"}, "example.org:81") is NAMED


@pytest.mark.parametrize(
    "entry",
    [
        "", " ", ".", "*", "*.", "*.*.org", "a.*.org", "**.org", "*example.org",
        "https://example.org", "example.org/", "user@example.org", "example.org:",
        "example.org:0", "example.org:65536", "example.org:080", "example.org:+80",
        "example.org:8٣", "example.org:80:80", "example..org", ".example.org", "-a.org", "a-.org",
        "exa mple.org", "example.org\n", "example.org\x00", "a" * 64 + ".org", "a." * 127 + "org",
        "127.1", "0x7f.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.01", "1.2.3.4.5",
        "example.123", "256.1.1.1", "\uff11\uff12\uff17.1", "*.127.0.0.1", "*.[::1]",
        "::1", "2001:db8::1", "[::1", "::1]", "[]", "[127.0.0.1]", "[fe80::1%eth0]", "[::1]80",
        "[::1]:", "straße.example", "ΣΙΓΜΑς.example", "a\u200db.example", "ü" * 300,
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused_with_the_way_to_write_one(entry) -> None:
    with pytest.raises(ValueError, match="cannot allow the host"):
        parse_hosts(frozenset({"example.org", entry}))


def test_a_text_is_not_taken_for_a_set_of_letters() -> None:
    with pytest.raises(ValueError, match="not the text"):
        parse_hosts("example.org")  # type: ignore[arg-type]  # the mistake that it is about


def test_the_message_of_an_address_without_brackets_says_so() -> None:
    with pytest.raises(ValueError, match="brackets"):
        parse_hosts(frozenset({"2001:db8::1"}))


@given(HOSTS)
def test_the_normal_form_is_its_own(host) -> None:
    assert normal_host(normal_host(host)) == normal_host(host)


@given(HOSTS, st.data())
def test_case_and_a_trailing_dot_do_not_matter(host, data) -> None:
    shouted = "".join(data.draw(st.sampled_from([one, one.upper()])) for one in host)
    assert normal_host(shouted) == normal_host(host)
    if "[" not in host:
        assert normal_host(f"{shouted}.") == normal_host(host)


# With dots, digits and letters that turn into others.
@given(st.text(max_size=30) | st.text("ab.-_1:[]%/@\u3002\uff11\u212a\u0130\u2460\u2488\xe9"))
def test_whatever_has_a_normal_form_is_one_host_in_plain_ascii(text) -> None:
    try:
        host = normal_host(text)
    except ValueError:
        return
    assert host.isascii()
    assert not set(host) & set("/@?#%\\ \r\n\t\x00*")
    assert normal_host(host) == host


@given(HOSTS, PORTS)
def test_a_target_reads_back_as_it_is_written(host, port) -> None:
    target = Target.parse(f"{host}:{port}")
    assert Target.parse(str(target)) == target
    assert target == Target(normal_host(host), port)


@given(HOSTS, PORTS, HOSTS, PORTS)
def test_an_exact_entry_admits_that_target_and_no_other(host, port, other, other_port) -> None:
    entry = {f"{host}:{port}"}
    assert admits(entry, f"{host}:{port}") in (NAMED, LITERAL)
    same = (normal_host(other), other_port) == (normal_host(host), port)
    assert (admits(entry, f"{other}:{other_port}") is NO) is not same


@given(HOSTS, PORTS)
def test_an_entry_without_a_port_means_those_of_the_web(host, port) -> None:
    assert (admits({host}, f"{host}:{port}") is NO) is (port not in WEB_PORTS)


@given(NAMES, NAMES)
def test_a_wildcard_admits_whatever_is_below_and_not_the_name_itself(name, below) -> None:
    assert admits({f"*.{name}"}, f"{below}.{name}:443") is PUBLIC
    assert admits({f"*.{name}"}, f"{name}:443") is NO
    assert admits({f"*.{name}"}, f"{below}{name}:443") is NO


@given(ADDRESSES)
def test_an_address_is_known_as_one(text) -> None:
    address = Target.parse(f"{text}:1").address
    assert isinstance(address, IPv6Address if "[" in text else IPv4Address)
    assert str(address) == str(type(address)(text.strip("[]")))

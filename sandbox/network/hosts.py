"""Which hosts a run may connect to: entries as a caller writes them, read and matched.

An entry is a name or an address, with a port or without; see `Access.hosts`. Both entries and what
programs ask for are brought into one form first, so that there is one way only to write each host.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, ip_address

from toolguild.sandbox.network.addresses import IPAddress

__all__ = ["WEB_PORTS", "Admission", "HostRules", "Target", "normal_host", "parse_hosts"]

WEB_PORTS = frozenset({80, 443})
"""Ports that an entry without one means, and the only ones where every public host is allowed."""

_MAX_NAME = 253
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"[1-9][0-9]{0,4}")
# What resolvers take for an address, also in forms such as 0x7f.1 (https://url.spec.whatwg.org,
# "ends in a number").
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
# Which domain these letters lead to depends on the edition of IDNA (UTS #46, section 6).
_AMBIGUOUS = "\u00df\u1e9e\u03c2\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Target:
    """A host and a port to connect to."""

    host: str
    """As `normal_host` returns it."""
    port: int

    @classmethod
    def parse(cls, text: str, default_port: int | None = None) -> Target:
        """Read `host:port`, where an address of version 6 stands in brackets.

        Args:
            text: What to read.
            default_port: Port where there is none; by default there has to be one.

        Raises:
            ValueError: it is something else.
        """
        host, port = _split(text)
        if port is None and default_port is None:
            msg = "it lacks a port"
            raise ValueError(msg)
        return cls(normal_host(host), port or default_port or 0)

    @property
    def address(self) -> IPAddress | None:
        """The address that the host is written as; None where it is a name."""
        return _literal(self.host)

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class Admission(Enum):
    """How far a target is let through."""

    NO = "no"
    PUBLIC = "public"
    """If every address that its name leads to is public."""
    NAMED = "named"
    """At any address but one of a cloud's for metadata: the caller wrote the name itself."""
    LITERAL = "literal"
    """The caller wrote the very address."""


@dataclass(frozen=True, slots=True)
class _Rule:
    host: str
    ports: frozenset[int]
    below: bool
    """Whether all names below the host are meant instead of itself."""

    def admits(self, target: Target) -> Admission:
        if target.port not in self.ports:
            return Admission.NO
        if self.below:
            return Admission.PUBLIC if target.host.endswith(f".{self.host}") else Admission.NO
        if target.host != self.host:
            return Admission.NO
        return Admission.LITERAL if target.address else Admission.NAMED


@dataclass(frozen=True, slots=True)
class HostRules:
    """What `parse_hosts` makes of entries."""

    rules: tuple[_Rule, ...] | None
    """None for every public host."""

    def admits(self, target: Target) -> Admission:
        """Return how far a target is let through; where several entries fit, the widest wins."""
        if self.rules is None:
            return Admission.PUBLIC if target.port in WEB_PORTS else Admission.NO
        answers = [rule.admits(target) for rule in self.rules]
        return max(answers, key=list(Admission).index, default=Admission.NO)


@lru_cache(maxsize=256)
def parse_hosts(hosts: frozenset[str] | None) -> HostRules:
    """Read the hosts that a run may connect to; None stands for all public ones.

    Raises:
        ValueError: an entry is none; the message names it and says why.
    """
    if isinstance(hosts, str):  # each of its letters would pass for a name
        msg = f"hosts must be a set of hosts, not the text {hosts!r}"
        raise ValueError(msg)
    return HostRules(None if hosts is None else tuple(map(_parse_entry, sorted(hosts))))


def _parse_entry(entry: str) -> _Rule:
    try:
        below = entry.startswith("*.")
        name, port = _split(entry.removeprefix("*."))
        host = normal_host(name)
        if below and _literal(host):
            msg = "an address has nothing below it"
            raise ValueError(msg)
    except ValueError as error:
        msg = (
            f"cannot allow the host {entry!r}: {error}; write `example.org`, "
            "`example.org:8443`, `*.example.org`, `192.0.2.1` or `[2001:db8::1]:8443`"
        )
        raise ValueError(msg) from error
    return _Rule(host, WEB_PORTS if port is None else frozenset({port}), below)


def _split(text: str) -> tuple[str, int | None]:
    """Split off the port, without looking at the host."""
    if text.startswith("["):
        host, bracket, rest = text.partition("]")
        host += bracket
    else:
        host, colon, rest = text.partition(":")
        rest = colon + rest
    if not rest:
        return host, None
    if not rest.startswith(":") or not _PORT.fullmatch(rest[1:]) or int(rest[1:]) > 65535:
        msg = f"{rest.removeprefix(':')!r} is no port"
        if rest.count(":") > 1:
            msg += ", and an address of version 6 stands in brackets"
        raise ValueError(msg)
    return host, int(rest[1:])


def normal_host(text: str) -> str:
    """Return the one form of a host: lower case, ASCII, without a trailing dot.

    Addresses of version 6 are compressed, and keep their brackets.

    Raises:
        ValueError: it is neither a name nor an address in its usual form.
    """
    if text.startswith("["):
        return f"[{_address_6(text)}]"
    name = _ascii(text).lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > _MAX_NAME or not all(map(_LABEL.fullmatch, labels)):
        msg = f"{text[:_MAX_NAME]!r} is no host name"
        raise ValueError(msg)
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(IPv4Address(name))
        except AddressValueError as error:
            msg = f"{text!r} ends in a number, and is no address in its usual form"
            raise ValueError(msg) from error
    return name


def _address_6(text: str) -> IPv6Address:
    # A zone, as in fe80::1%eth0, means something on one machine only.
    if not text.endswith("]") or "%" in text:
        msg = f"{text!r} is no address of version 6 in brackets"
        raise ValueError(msg)
    return IPv6Address(text[1:-1])


def _ascii(text: str) -> str:
    if text.isascii():
        return text
    if any(letter in _AMBIGUOUS for letter in text):
        msg = f"{text!r} leads to different domains by different standards, so write it as xn--..."
        raise ValueError(msg)
    if len(text) > _MAX_NAME:  # the codec takes a time that grows with the square of it
        msg = "the name is too long"
        raise ValueError(msg)
    return text.encode("idna").decode("ascii")


def _literal(host: str) -> IPAddress | None:
    if host.startswith("["):
        return ip_address(host[1:-1])
    return IPv4Address(host) if host.rpartition(".")[2].isdecimal() else None

"""Which hosts are this very machine."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address


def is_loopback(host: str) -> bool:
    """Whether a host, by name or address, can be nobody but this machine.

    >>> is_loopback("localhost"), is_loopback("127.0.0.1"), is_loopback("::ffff:127.0.0.1")
    (True, True, True)
    >>> is_loopback("localhost.example"), is_loopback("0.0.0.0"), is_loopback("")
    (False, False, False)
    """
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback

"""Addresses as people type them: what is one, and whether it holds what does not belong there.

Passwords hold anything: the logins looked for here need not be well-formed. Pure.
"""

from collections.abc import Set as AbstractSet
from urllib.parse import parse_qsl, urlsplit


def is_address(address: str, schemes: AbstractSet[str]) -> bool:
    """Return whether it is a URL of one of the schemes with a host, and a port that is a number."""
    try:
        parts = urlsplit(address)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # its words would repeat a part of the address
        return False


def holds_login(address: str) -> bool:
    """Return whether a user or password may be in it: any ``@`` counts, wherever it is."""
    return "@" in address


def holds_password(address: str) -> bool:
    """Return whether a password may be in it, before the host or in the query.

    A user alone is none. What comes before the last ``@`` counts, whatever it looks like.
    """
    after_scheme = address.partition("://")[2] or address
    login, at, _ = after_scheme.rpartition("@")
    if at and ":" in login:
        return True
    _, _, query = address.partition("?")
    return any("password" in key.lower() for key, _ in parse_qsl(query, keep_blank_values=True))

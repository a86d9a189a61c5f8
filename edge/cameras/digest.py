"""HTTP digest authentication (RFC 7616) as cameras ask for it: MD5 or SHA-256, qop auth or none.

Pure: the client's nonce is given.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from edge.cameras.login import Login

_SCHEME = re.compile(r"(?:^|,)\s*digest\s+", re.IGNORECASE)
_PARAMETER = re.compile(r'([a-z]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)
_NEXT_SCHEME = re.compile(r",\s*[A-Za-z0-9]+\s+[A-Za-z0-9]+\s*=")
_ESCAPED = re.compile(r"\\(.)")
_ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}
_MAX_CHARS = 4096


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks to be answered."""

    realm: str
    nonce: str
    opaque: str | None
    algorithm: str  # as the server spells it; MD5 where it says nothing
    qop: bool  # whether it takes qop=auth; without, the answer is RFC 2069's


def challenge(headers: Iterable[str]) -> Challenge | None:
    """Return the first digest that can be answered among the WWW-Authenticate ``headers``."""
    for header in headers:
        if len(header) > _MAX_CHARS or not header.isprintable():
            continue
        for scheme in _SCHEME.finditer(header):
            rest = header[scheme.end() :]
            following = _NEXT_SCHEME.search(rest)
            found = _challenge(rest[: following.start()] if following else rest)
            if found is not None:
                return found
    return None


def _challenge(text: str) -> Challenge | None:
    values = {
        name.lower(): _ESCAPED.sub(r"\1", quoted) if quoted else bare
        for name, quoted, bare in _PARAMETER.findall(text)
    }
    algorithm = values.get("algorithm") or "MD5"
    qops = {one.strip().lower() for one in values.get("qop", "").split(",")} - {""}
    if algorithm.upper() not in _ALGORITHMS or not values.get("nonce"):
        return None
    if qops and "auth" not in qops:
        return None
    return Challenge(
        realm=values.get("realm", ""),
        nonce=values["nonce"],
        opaque=values.get("opaque"),
        algorithm=algorithm,
        qop=bool(qops),
    )


def authorization(
    asked: Challenge, login: Login, method: str, target: str, *, count: int, client_nonce: str
) -> str:
    """Return the Authorization header; ``count`` is of requests with this nonce, from 1."""
    name = _ALGORITHMS[asked.algorithm.upper()]

    def digest(*parts: str) -> str:
        return hashlib.new(name, ":".join(parts).encode(), usedforsecurity=False).hexdigest()

    secret = digest(login.user, asked.realm, login.password)
    request = digest(method, target)
    fields = [
        f'username="{_quoted(login.user)}"',
        f'realm="{_quoted(asked.realm)}"',
        f'nonce="{_quoted(asked.nonce)}"',
        f'uri="{target}"',
        f"algorithm={asked.algorithm}",
    ]
    if asked.qop:
        nc = f"{count:08x}"
        response = digest(secret, asked.nonce, nc, client_nonce, "auth", request)
        fields += ["qop=auth", f"nc={nc}", f'cnonce="{client_nonce}"']
    else:
        response = digest(secret, asked.nonce, request)
    fields.append(f'response="{response}"')
    if asked.opaque is not None:
        fields.append(f'opaque="{_quoted(asked.opaque)}"')
    return f"Digest {', '.join(fields)}"


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')

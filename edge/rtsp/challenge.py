"""Saying who we are: Digest with MD5 or SHA-256, and Basic. Pure, but for the client's nonce.

Sources: RFC 7616, RFC 2617 (servers that know no ``qop``), RFC 7617.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

_PARAMETER = re.compile(r'(\w[\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))')
#: The strongest first.
_HASHES = {"SHA-256": hashlib.sha256, "MD5": hashlib.md5}


@dataclass(frozen=True, slots=True)
class Credentials:
    """A camera's user; the password is kept out of every representation."""

    username: str
    password: str = field(repr=False)


class Authoriser:
    """Answers the challenge that a server last made; says nothing before there is one.

    ``nonce`` returns a new random text each time.
    """

    def __init__(self, credentials: Credentials | None, nonce: Callable[[], str]) -> None:
        self._credentials = credentials
        self._nonce = nonce
        self._scheme = ""
        self._given: dict[str, str] = {}
        self._count = 0

    def take(self, challenges: Sequence[str]) -> bool:
        """Take a refusal's ``WWW-Authenticate`` values; say whether to try (again) is of use.

        It is not where we have no password, know none of the schemes, or were refused with the
        same nonce's answer already.
        """
        if self._credentials is None:
            return False
        digests = [_parameters(each) for each in challenges if _scheme(each) == "digest"]
        best = min(filter(_is_known, digests), key=_rank, default=None)
        if best is not None:
            may_be_old = best.get("stale", "").lower() == "true"
            if self._scheme == "digest" and not may_be_old:
                return False
            self._scheme, self._given, self._count = "digest", best, 0
            return True
        if self._scheme or not any(_scheme(each) == "basic" for each in challenges):
            return False
        self._scheme = "basic"
        return True

    def header(self, method: str, url: str) -> str | None:
        """Return the ``Authorization`` of a request."""
        if self._credentials is None or not self._scheme:
            return None
        user, password = self._credentials.username, self._credentials.password
        if self._scheme == "basic":
            return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"
        return self._digest(method, url, user, password)

    def _digest(self, method: str, url: str, user: str, password: str) -> str:
        given = self._given
        realm, nonce, algorithm = given["realm"], given["nonce"], given.get("algorithm", "MD5")
        name, is_session = _hash_name(given), algorithm.upper().endswith("-SESS")
        cnonce = self._nonce()

        def hashed(text: str) -> str:
            return _HASHES[name](text.encode()).hexdigest()

        secret = hashed(f"{user}:{realm}:{password}")
        if is_session:
            secret = hashed(f"{secret}:{nonce}:{cnonce}")
        asked = hashed(f"{method}:{url}")
        parts = {"username": user, "realm": realm, "nonce": nonce, "uri": url}
        plain = []
        if "qop" in given:
            self._count += 1
            count = f"{self._count:08x}"
            parts["response"] = hashed(f"{secret}:{nonce}:{count}:{cnonce}:auth:{asked}")
            plain += ["qop=auth", f"nc={count}"]
        else:
            parts["response"] = hashed(f"{secret}:{nonce}:{asked}")
        if "qop" in given or is_session:
            parts["cnonce"] = cnonce
        if "opaque" in given:
            parts["opaque"] = given["opaque"]
        if "algorithm" in given:
            plain.append(f"algorithm={algorithm}")
        return "Digest " + ", ".join([*(f'{k}="{_escaped(v)}"' for k, v in parts.items()), *plain])


def _scheme(challenge: str) -> str:
    return challenge.strip().split(None, 1)[0].lower() if challenge.strip() else ""


def _parameters(challenge: str) -> dict[str, str]:
    found = {}
    for name, quoted, bare in _PARAMETER.findall(challenge.strip().partition(" ")[2]):
        found[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted else bare
    return found


def _hash_name(given: dict[str, str]) -> str:
    return given.get("algorithm", "MD5").upper().removesuffix("-SESS")


def _is_known(given: dict[str, str]) -> bool:
    has_qop = "qop" not in given or "auth" in re.split(r"[\s,]+", given["qop"].lower())
    return {"realm", "nonce"} <= given.keys() and _hash_name(given) in _HASHES and has_qop


def _rank(given: dict[str, str]) -> int:
    return list(_HASHES).index(_hash_name(given))


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')

"""Basic and digest authentication of the pure-Python test camera (RFC 2617, as cameras do it)."""

import base64
import hashlib
import hmac
import re
import secrets

from village.testcam.programme import Credentials

_REALM = "tanshao"
_PAIR = re.compile(r'(\w+)=(?:"([^"]*)"|([^\s,]+))')


class Gate:
    """Decides who may pass. Without credentials everybody may."""

    def __init__(self, credentials: Credentials | None) -> None:
        self._credentials = credentials
        self._nonce = secrets.token_hex(16)

    def challenge(self) -> str:
        """Return the value of WWW-Authenticate."""
        assert self._credentials is not None
        if self._credentials.kind == "basic":
            return f'Basic realm="{_REALM}"'
        return f'Digest realm="{_REALM}", nonce="{self._nonce}"'

    def opens(self, method: str, target: str, authorization: str) -> bool:
        """Return whether a request with this Authorization header may pass."""
        if self._credentials is None:
            return True
        kind, _, rest = authorization.partition(" ")
        if kind.lower() != self._credentials.kind:
            return False
        if self._credentials.kind == "basic":
            pair = f"{self._credentials.username}:{self._credentials.password}".encode()
            return hmac.compare_digest(rest.strip().encode(), base64.b64encode(pair))
        given = {name: quoted or bare for name, quoted, bare in _PAIR.findall(rest)}
        uri = given.get("uri", target)
        expected = self._digest(method, uri)
        fits = hmac.compare_digest(given.get("response", "").encode(), expected.encode())
        return fits and given.get("nonce") == self._nonce

    def _digest(self, method: str, uri: str) -> str:
        assert self._credentials is not None
        name, password = self._credentials.username, self._credentials.password
        who = _md5(f"{name}:{_REALM}:{password}")
        return _md5(f"{who}:{self._nonce}:{_md5(f'{method}:{uri}')}")


def _md5(text: str) -> str:
    # MD5 is what RTSP cameras speak; this one guards a test picture.
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

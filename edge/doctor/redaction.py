"""Keeping secrets out of what is shown to strangers. Pure.

Nothing puts a secret into a finding. This is the second lock on that door: words of errors come
from libraries that may say more one day, and old cameras want the password in the path. Our own
words are not looked through: what is missing from a known sentence would tell a short password.
"""

import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

HIDDEN = "•••"
#: Shorter ones stand in any text by chance, and hiding them there would show them.
_SHORTEST = 4

#: A URL's scheme, whatever stands before its host's last "@", the host, and the rest of it.
_ADDRESS = re.compile(
    r"(?i)\b([a-z][a-z0-9+.-]*://)(?:[^\s'\"<>]*@)?([^\s'\"<>/?#@,;]*)[^\s'\"<>]*"
)


class Redaction:
    """Takes ``secrets`` out of texts, plain and as URLs write them, and addresses down to hosts."""

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = {
            form
            for secret in secrets
            if len(secret) >= _SHORTEST
            for form in (secret, quote(secret, safe=""), quote(secret), quote_plus(secret))
        }
        # The longest first: one may be a part of another.
        self._forms = sorted(forms, key=len, reverse=True)

    def clean(self, text: str) -> str:
        """Return the text without secrets; of an address only scheme, host and port are left."""
        for form in self._forms:
            text = text.replace(form, HIDDEN)
        return _ADDRESS.sub(r"\1\2", text)

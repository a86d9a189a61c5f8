"""What is said of a configuration that breaks its rules: every broken key, and never a secret.

Both sides say it, and both may be given a secret where none belongs: that is when it is said.
"""

from collections.abc import Set as AbstractSet

from pydantic import ValidationError

#: Keys under which a secret is, or may be by mistake: neither they nor what is below is repeated.
SECRET_KEYS = frozenset({"access_key", "password", "pin", "secret_key", "token"})
#: So may an address be of any kind, with its login.
_ADDRESS_END = "url"
#: A key that we do not know may be a misspelt secret, and text in a section's place one part of it.
_UNKNOWN = frozenset({"extra_forbidden", "model_type", "model_attributes_type"})


def refusal(error: ValidationError, variants: AbstractSet[str] = frozenset()) -> str:
    """Return one clause a broken key: the key, the rule and, where that is safe, the value.

    ``variants`` are names that pydantic puts into a key for which of several forms was read, and
    that nobody wrote there.
    """
    clauses = []
    for item in error.errors(include_url=False):
        parts = [str(part) for part in item["loc"] if part not in variants]
        key = ".".join(parts) or "(the file)"
        rule = item["msg"].removeprefix("Value error, ")
        is_safe = item["type"] not in _UNKNOWN and not any(map(_may_hold_secret, parts))
        clauses.append(f"'{key}': {rule}{_shown(item['input']) if is_safe else ''}")
    return "; ".join(clauses)


def _may_hold_secret(key: str) -> bool:
    return key in SECRET_KEYS or key.endswith(_ADDRESS_END)


def _shown(value: object) -> str:
    """Return a single value as it was given; what a list or a table holds is not looked through."""
    if isinstance(value, str) and "@" in value:
        return ""  # an address with a login, under whatever key
    return f", not {value!r}" if isinstance(value, str | int | float) else ""

"""What a broker says when it refuses."""

import pytest

from protocol.reasons import explained


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0x84, "version 3.1.1"),
        (0x87, "ACL"),
        (0x8E, "same name"),
        (0x95, "max_packet_size"),
        (0x97, "limit"),
        (0x9E, "one consumer only"),
    ],
)
def test_a_refusal_says_what_to_do_about_it(code, words):
    text = explained(code, "Its name")
    assert text.startswith(f"Its name (0x{code:02x}): ")
    assert words in text


def test_a_reason_without_advice_is_its_name_and_code():
    assert explained(0x80, "Unspecified error") == "Unspecified error (0x80)"

import base64
from datetime import UTC, datetime

import pytest

from bench.onvif_answers import envelope, fault, response
from edge.cameras import soap
from edge.errors import (
    CameraBadXml,
    CameraBlocked,
    CameraLoginRefused,
    CameraUnreachable,
    CameraUnsupported,
)
from edge.rtsp.challenge import Credentials


def test_a_token_is_the_one_of_the_specification():
    """The example of ONVIF's Application Programmer's Guide."""
    asked = soap.question(soap.DEVICE, "GetUsers")
    nonce = base64.b64decode("LKqI6G/AikKCQrN0zqZFlg==")
    created = datetime(2010, 9, 16, 7, 50, 45, tzinfo=UTC)
    soap.sign(asked, Credentials("user", "userpassword"), soap.Token(nonce, created))
    written = soap.written(asked)
    assert b">tuOSpGlFlIXsozq4HFNeeGeFLEI=<" in written
    assert b">2010-09-16T07:50:45Z<" in written
    assert b"userpassword" not in written


def test_the_answer_is_the_first_element_of_the_body():
    body = soap.checked(200, envelope(response("tds", "SystemReboot", "")))
    assert body.tag == f"{{{soap.DEVICE}}}SystemRebootResponse"
    assert soap.checked(200, envelope("")) is None


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, fault("NotAuthorized", "Sender not Authorized"), CameraLoginRefused),
        (500, fault("OperationProhibited", "You still have 3 attempts"), CameraLoginRefused),
        (401, b"", CameraLoginRefused),
        (403, b"<html><p>", CameraLoginRefused),
        (401, envelope(""), CameraLoginRefused),
        (401, b"<a/>", CameraLoginRefused),
        (500, fault("ActionNotSupported", "x"), CameraUnsupported),
        (200, fault("InvalidArgVal", "x"), CameraUnsupported),
        (404, b"not here", CameraUnsupported),
        (501, b"", CameraUnsupported),
        (400, envelope(""), CameraUnsupported),
        (503, b"busy", CameraUnreachable),
        (200, b"", CameraBadXml),
        (200, b"<html/>", CameraBadXml),
        (200, b"<a>\xff</a>", CameraBadXml),
        (200, b"<!DOCTYPE a><a/>", CameraBlocked),
        (200, b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', CameraBlocked),
        (401, b"<!DOCTYPE html><html><p>Unauthorized</p></html>", CameraLoginRefused),
    ],
)
def test_a_refusal_has_a_kind(status, document, kind):
    with pytest.raises(kind):
        soap.checked(status, document)


def test_the_cameras_own_words_are_cut_short_and_of_one_line():
    with pytest.raises(CameraUnsupported) as refused:
        soap.checked(500, fault("Odd", "no\n\x85 way " + "x" * 5000))
    assert len(str(refused.value)) < 400
    assert str(refused.value).isprintable()

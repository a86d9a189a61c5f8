"""What a well-behaved ONVIF camera answers, by operation: for a double of ours, not a capture.

``{base}`` stands for the address that the camera was asked at.
"""

from datetime import datetime

_NAMES = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://www.w3.org/2005/08/addressing",
    "tt": "http://www.onvif.org/ver10/schema",
    "tds": "http://www.onvif.org/ver10/device/wsdl",
    "trt": "http://www.onvif.org/ver10/media/wsdl",
    "tr2": "http://www.onvif.org/ver20/media/wsdl",
    "timg": "http://www.onvif.org/ver20/imaging/wsdl",
    "tptz": "http://www.onvif.org/ver20/ptz/wsdl",
    "tev": "http://www.onvif.org/ver10/events/wsdl",
    "wsnt": "http://docs.oasis-open.org/wsn/b-2",
    "tns1": "http://www.onvif.org/ver10/topics",
    "ter": "http://www.onvif.org/ver10/error",
    "own": "urn:example:camera",
}
_DECLARED = " ".join(f'xmlns:{prefix}="{name}"' for prefix, name in _NAMES.items())

SERVICES = {
    "trt": "/onvif/media",
    "tr2": "/onvif/media2",
    "timg": "/onvif/imaging",
    "tptz": "/onvif/ptz",
    "tev": "/onvif/events",
}

_ENCODER1 = (
    '<trt:Profiles token="{token}" fixed="true"><tt:Name>{token}</tt:Name>'
    '<tt:VideoSourceConfiguration token="vsc"><tt:Name>v</tt:Name><tt:UseCount>2</tt:UseCount>'
    "<tt:SourceToken>source-1</tt:SourceToken>"
    '<tt:Bounds x="0" y="0" width="1920" height="1080"/></tt:VideoSourceConfiguration>'
    '<tt:VideoEncoderConfiguration token="vec"><tt:Name>e</tt:Name><tt:UseCount>1</tt:UseCount>'
    "<tt:Encoding>H264</tt:Encoding>"
    "<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
    "<tt:Quality>3</tt:Quality><tt:RateControl><tt:FrameRateLimit>25</tt:FrameRateLimit>"
    "<tt:EncodingInterval>1</tt:EncodingInterval><tt:BitrateLimit>2048</tt:BitrateLimit>"
    "</tt:RateControl><tt:H264><tt:GovLength>50</tt:GovLength>"
    "<tt:H264Profile>Main</tt:H264Profile></tt:H264></tt:VideoEncoderConfiguration>"
    "</trt:Profiles>"
)
_PROFILES1 = "".join(
    _ENCODER1.format(token=token, width=width, height=height)
    for token, width, height in (("main", 1920, 1080), ("sub", 640, 360))
)
_ENCODER2 = (
    '<tr2:Profiles token="{token}" fixed="true"><tr2:Name>{token}</tr2:Name><tr2:Configurations>'
    '<tr2:VideoSource token="vsc"><tt:SourceToken>source-1</tt:SourceToken></tr2:VideoSource>'
    '<tr2:VideoEncoder token="vec" GovLength="50" Profile="Main">'
    "<tt:Encoding>{encoding}</tt:Encoding>"
    "<tt:Resolution><tt:Width>{width}</tt:Width><tt:Height>{height}</tt:Height></tt:Resolution>"
    '<tt:RateControl ConstantBitRate="false"><tt:FrameRateLimit>25</tt:FrameRateLimit>'
    "<tt:BitrateLimit>2048</tt:BitrateLimit></tt:RateControl></tr2:VideoEncoder>"
    '<tr2:PTZ token="ptz"/></tr2:Configurations></tr2:Profiles>'
)
_PROFILES2 = "".join(
    _ENCODER2.format(token=token, encoding=encoding, width=width, height=height)
    for token, encoding, width, height in (
        ("main", "H265", 1920, 1080),
        ("sub", "H264", 640, 360),
    )
)
_OSD = (
    '<trt:{element} token="osd-1">'
    "<tt:VideoSourceConfigurationToken>vsc</tt:VideoSourceConfigurationToken>"
    '<tt:Type>Text</tt:Type><tt:Position><tt:Type>Custom</tt:Type><tt:Pos x="-0.9" y="0.9"/>'
    "</tt:Position><tt:TextString><tt:Type>Plain</tt:Type><tt:FontSize>32</tt:FontSize>"
    "<tt:PlainText>{text}</tt:PlainText></tt:TextString></trt:{element}>"
)

#: Prefix and name of an answer's element, and what is in it.
ANSWERS = {
    "GetDeviceInformation": (
        "tds",
        (
            "<tds:Manufacturer>Example</tds:Manufacturer><tds:Model>Bullet 4</tds:Model>"
            "<tds:FirmwareVersion>1.2.3</tds:FirmwareVersion><tds:SerialNumber>0042</tds:SerialNumber>"
            "<tds:HardwareId>1</tds:HardwareId>"
        ),
    ),
    "GetProfiles": ("trt", _PROFILES1),
    "SetSystemDateAndTime": ("tds", ""),
    "SystemReboot": ("tds", "<tds:Message>in 30 seconds</tds:Message>"),
    "GetStreamUri": (
        "trt",
        (
            "<trt:MediaUri><tt:Uri>rtsp://127.0.0.1:8554/main</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout>"
            "</trt:MediaUri>"
        ),
    ),
    "GetSnapshotUri": (
        "trt",
        (
            "<trt:MediaUri><tt:Uri>{base}/snapshot.jpg</tt:Uri>"
            "<tt:InvalidAfterConnect>false</tt:InvalidAfterConnect>"
            "<tt:InvalidAfterReboot>false</tt:InvalidAfterReboot><tt:Timeout>PT60S</tt:Timeout>"
            "</trt:MediaUri>"
        ),
    ),
    "GetImagingSettings": (
        "timg",
        (
            "<timg:ImagingSettings><tt:Brightness>50</tt:Brightness>"
            "<tt:ColorSaturation>60</tt:ColorSaturation><tt:Contrast>40</tt:Contrast>"
            "</timg:ImagingSettings>"
        ),
    ),
    "SetImagingSettings": ("timg", ""),
    "GetPresets": (
        "tptz",
        (
            '<tptz:Preset token="1"><tt:Name>村口</tt:Name></tptz:Preset>'
            '<tptz:Preset token="2"><tt:Name>晒场</tt:Name></tptz:Preset>'
        ),
    ),
    "GotoPreset": ("tptz", ""),
    "GetOSDs": ("trt", _OSD.format(element="OSDs", text="村口")),
    "GetOSD": ("trt", _OSD.format(element="OSD", text="村口")),
    "SetOSD": ("trt", ""),
    "SetSynchronizationPoint": ("tev", ""),
    "Renew": (
        "wsnt",
        (
            "<wsnt:TerminationTime>2026-01-01T00:01:00Z</wsnt:TerminationTime>"
            "<wsnt:CurrentTime>2026-01-01T00:00:00Z</wsnt:CurrentTime>"
        ),
    ),
    "Unsubscribe": ("wsnt", ""),
    "CreatePullPointSubscription": (
        "tev",
        (
            "<tev:SubscriptionReference><a:Address>{base}/onvif/events</a:Address>"
            "<a:ReferenceParameters><own:Subscription>7</own:Subscription></a:ReferenceParameters>"
            "</tev:SubscriptionReference><wsnt:CurrentTime>2026-01-01T00:00:00Z</wsnt:CurrentTime>"
            "<wsnt:TerminationTime>2026-01-01T00:01:00Z</wsnt:TerminationTime>"
        ),
    ),
}

#: The same operations of media2.
ANSWERS2 = {
    "GetProfiles": _PROFILES2,
    "GetStreamUri": "<tr2:Uri>rtsp://127.0.0.1:8554/main</tr2:Uri>",
    "GetSnapshotUri": "<tr2:Uri>{base}/snapshot.jpg</tr2:Uri>",
}


def envelope(inner: str, before: str = "") -> bytes:
    """Return an envelope around ``inner``; ``before`` stands where a document type would."""
    head = f'<?xml version="1.0" encoding="utf-8"?>{before}'
    return f"{head}<s:Envelope {_DECLARED}><s:Body>{inner}</s:Body></s:Envelope>".encode()


def response(prefix: str, operation: str, inner: str) -> str:
    """Return the element that answers ``operation``."""
    return f"<{prefix}:{operation}Response>{inner}</{prefix}:{operation}Response>"


def fault(subcode: str, text: str) -> bytes:
    """Return a SOAP fault of a sender."""
    return envelope(
        f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>ter:{subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en">{text}</s:Text></s:Reason></s:Fault>'
    )


def time_of(now: datetime) -> str:
    """Return the answer to GetSystemDateAndTime; ``now`` in UTC."""
    return response(
        "tds",
        "GetSystemDateAndTime",
        "<tds:SystemDateAndTime><tt:DateTimeType>Manual</tt:DateTimeType>"
        "<tt:DaylightSavings>false</tt:DaylightSavings>"
        "<tt:TimeZone><tt:TZ>CST-8</tt:TZ></tt:TimeZone><tt:UTCDateTime>"
        f"<tt:Time><tt:Hour>{now.hour}</tt:Hour><tt:Minute>{now.minute}</tt:Minute>"
        f"<tt:Second>{now.second}</tt:Second></tt:Time>"
        f"<tt:Date><tt:Year>{now.year}</tt:Year><tt:Month>{now.month}</tt:Month>"
        f"<tt:Day>{now.day}</tt:Day></tt:Date></tt:UTCDateTime></tds:SystemDateAndTime>",
    )


def services(at: dict[str, str]) -> str:
    """Return the answer to GetServices: an address for each prefix."""
    listed = "".join(
        f"<tds:Service><tds:Namespace>{_NAMES[prefix]}</tds:Namespace>"
        f"<tds:XAddr>{url}</tds:XAddr>"
        "<tds:Version><tt:Major>2</tt:Major><tt:Minor>5</tt:Minor></tds:Version></tds:Service>"
        for prefix, url in at.items()
    )
    return response("tds", "GetServices", listed)


def capabilities(base: str) -> str:
    """Return the answer to GetCapabilities, which knows no media2; ``base`` is its address."""
    parts = {"Events": "tev", "Imaging": "timg", "Media": "trt", "PTZ": "tptz"}
    listed = "".join(
        f"<tt:{name}><tt:XAddr>{base}{SERVICES[prefix]}</tt:XAddr></tt:{name}>"
        for name, prefix in parts.items()
    )
    return response("tds", "GetCapabilities", f"<tds:Capabilities>{listed}</tds:Capabilities>")


def notification(topic: str, name: str, value: str, *, at: str = "2026-01-01T00:00:00Z") -> str:
    """Return one event, as PullMessages brings it."""
    return (
        "<wsnt:NotificationMessage>"
        '<wsnt:Topic Dialect="http://www.onvif.org/ver10/tev/topicExpression/ConcreteSet">'
        f"{topic}</wsnt:Topic><wsnt:Message>"
        f'<tt:Message UtcTime="{at}" PropertyOperation="Changed"><tt:Source>'
        '<tt:SimpleItem Name="VideoSourceConfigurationToken" Value="vsc"/></tt:Source>'
        f'<tt:Data><tt:SimpleItem Name="{name}" Value="{value}"/></tt:Data>'
        "</tt:Message></wsnt:Message></wsnt:NotificationMessage>"
    )


def messages(notifications: str) -> str:
    """Return the answer to PullMessages."""
    times = (
        "<tev:CurrentTime>2026-01-01T00:00:00Z</tev:CurrentTime>"
        "<tev:TerminationTime>2026-01-01T00:01:00Z</tev:TerminationTime>"
    )
    return response("tev", "PullMessages", f"{times}{notifications}")


def probe_match(
    relates_to: str, addresses: str, *, endpoint: str = "urn:uuid:camera", times: int = 1
) -> bytes:
    """Return a datagram that answers a WS-Discovery probe."""
    match = (
        f"<d:ProbeMatch><w:EndpointReference><w:Address>{endpoint}</w:Address>"
        "</w:EndpointReference><d:Types>dn:NetworkVideoTransmitter</d:Types>"
        "<d:Scopes>onvif://www.onvif.org/name/Village%20Cam onvif://www.onvif.org/hardware/"
        f"Bullet%204</d:Scopes><d:XAddrs>{addresses}</d:XAddrs></d:ProbeMatch>"
    )
    return (
        f'<s:Envelope xmlns:s="{_NAMES["s"]}" '
        'xmlns:w="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
        'xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" '
        'xmlns:dn="http://www.onvif.org/ver10/network/wsdl"><s:Header>'
        f"<w:RelatesTo>{relates_to}</w:RelatesTo></s:Header><s:Body>"
        f"<d:ProbeMatches>{match * times}</d:ProbeMatches></s:Body></s:Envelope>"
    ).encode()

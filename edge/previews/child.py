"""The picture process: key frames in, small JPEGs out, one at a time.

Started by edge.previews.process as ``python -m edge.previews.child --fd N``. It is a process of its
own so that a decoder that crashes, hangs or holds the interpreter costs a picture and never the
recording (docs/design/recording.md, "Previews"). It ends when its parent does, or after a minute
without a question.
"""

import argparse
import resource
import signal
import socket
from fractions import Fraction

import av
from av.error import FFmpegError
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame

from edge.errors import MediaError
from edge.media.sample import Codec
from edge.modest import come_last
from edge.previews import wire

_DECODERS = {Codec.H264: "h264", Codec.H265: "hevc"}
_OPTIONS = {
    # Blocks don't show in a picture a tenth of the size: a seventh less to do.
    "skip_loop_filter": "all",
    # 8K. A damaged parameter set may claim any size.
    "max_pixels": str(8192 * 4608),
}
#: The JPEG quantisers that are tried in turn until the picture is small enough.
_QUANTISERS = (5, 8, 11, 15, 20, 31)

_IDLE_S = 60.0
#: The box kills who is late after 10 s. If the box itself was killed, the kernel does it: a decoder
#: that hangs would take a processor for ever.
LONGEST_S = 30.0
_NICE = 10  # behind recording, live video and the detector
_MEMORY_BYTES = 1024 * 1024 * 1024  # ten times what a 4K picture takes, the libraries included


def picture(question: wire.Question) -> bytes:
    """Return the JPEG of a key frame. Raises MediaError where it doesn't decode."""
    try:
        small = _decoded(question).reformat(
            question.width_px, question.height_px, "yuvj420p", interpolation="AREA"
        )
        for quantiser in _QUANTISERS:
            jpeg = _jpeg(small, quantiser)
            if len(jpeg) <= question.max_bytes:
                break
    except (FFmpegError, ValueError, MemoryError, OverflowError) as error:
        raise MediaError(f"the key frame does not decode: {error!r}") from error
    return jpeg


def _decoded(question: wire.Question) -> VideoFrame:
    decoder = av.CodecContext.create(_DECODERS[question.codec], "r")
    assert isinstance(decoder, VideoCodecContext)
    decoder.extradata = question.extradata
    decoder.thread_count = 1
    decoder.options = _OPTIONS
    frames = [*decoder.decode(Packet(question.data)), *decoder.decode(None)]
    if not frames or frames[0].is_corrupt:
        raise MediaError("the key frame is damaged")
    return frames[0]


def _jpeg(frame: VideoFrame, quantiser: int) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qmin = encoder.qmax = quantiser
    frame.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def serve(link: socket.socket) -> None:
    """Answer questions until the other side closes or asks nothing for a minute."""
    link.settimeout(_IDLE_S)
    try:
        while True:
            question = wire.receive(link)
            signal.setitimer(signal.ITIMER_REAL, LONGEST_S)
            try:
                jpeg = picture(question)
            except MediaError as error:
                wire.refuse(link, str(error))
            else:
                wire.answer(link, jpeg)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0.0)
    except (EOFError, OSError):
        return


def _yield_to_others() -> None:
    """Take the processor and the memory only where nobody else wants them."""
    come_last(_NICE)
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))


def main() -> None:
    """Serve the socket that was handed down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    _yield_to_others()
    av.logging.set_level(av.logging.PANIC)
    with socket.socket(fileno=parser.parse_args().fd) as link:
        serve(link)


if __name__ == "__main__":
    main()

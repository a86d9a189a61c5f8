"""Which cameras the detector is to look at. Pure."""

from edge.config import CameraSection, EdgeConfig


def watched(config: EdgeConfig) -> tuple[CameraSection, ...]:
    """Return the enabled cameras whose rules are in effect: none where detecting is off.

    Where there are none, nor :func:`judged` ones, there is no detector either.
    """
    if not config.detect.enabled:
        return ()
    return tuple(camera for camera in config.cameras if camera.enabled and camera.rules)


def judged(config: EdgeConfig) -> tuple[CameraSection, ...]:
    """Return the enabled cameras whose pictures' health is judged."""
    if not (config.detect.enabled and config.detect.picture_health):
        return ()
    return tuple(camera for camera in config.cameras if camera.enabled and camera.picture_health)

"""What becomes of damaged files of any format, for tests."""

from agegait.recordings import Recording, read_recordings


def read_or_refused(path, content):
    """Reads a file of some content: gives recordings, or the message of a `ValueError`. Nothing else passes."""
    path.write_bytes(content)
    try:
        recordings = read_recordings(path)
    except ValueError as error:
        message = str(error)
    else:
        assert recordings
        for recording in recordings:
            assert isinstance(recording, Recording)
            assert recording.coordinates.ndim == 3
            assert recording.names is None or len(recording.names) == recording.coordinates.shape[1]
        return recordings
    assert message.startswith(str(path)), message
    assert len(message) < 2000
    return message

"""S3 servers for a whole session; each test finds an empty bucket."""

from collections.abc import Iterator

import pytest

from tests.support.s3 import S3Server, running_moto, running_seaweed


@pytest.fixture(scope="session")
def seaweed_server(tmp_path_factory) -> Iterator[S3Server]:
    with running_seaweed(tmp_path_factory.mktemp("seaweed")) as server:
        yield server


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory) -> Iterator[S3Server]:
    with running_moto(tmp_path_factory.mktemp("moto")) as server:
        yield server


@pytest.fixture
def seaweed(seaweed_server) -> S3Server:
    seaweed_server.empty()
    return seaweed_server


@pytest.fixture(params=["seaweed", "moto"])
def s3(request) -> S3Server:
    server: S3Server = request.getfixturevalue(f"{request.param}_server")
    server.empty()
    return server

"""An object store that speaks S3, on the loopback, with one bucket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

BUCKET = "seau"


@contextmanager
def object_store() -> Iterator[dict[str, str]]:
    """Run a store; give the variables by which programs reach it."""
    server_module = pytest.importorskip("moto.server", reason="object store absent: moto not installed")
    import boto3

    with pytest.MonkeyPatch.context() as patch:
        server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        variables = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "essai",
            "AWS_SECRET_ACCESS_KEY": "essai",
            "AWS_DEFAULT_REGION": "eu-west-3",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        for name, value in variables.items():
            patch.setenv(name, value)
        try:
            boto3.client("s3").create_bucket(
                Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": variables["AWS_DEFAULT_REGION"]}
            )
            yield variables
        finally:
            server.stop()

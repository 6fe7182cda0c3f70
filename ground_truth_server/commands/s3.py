"""``ground-truth s3``: the workspace's buckets alone, for servers that share them."""

from argparse import ArgumentParser, Namespace

from ground_truth_server.aws_services import Ports
from ground_truth_server.commands.places import add_places, keep_shared_keys, records_at
from ground_truth_server.commands.saying import log_to_the_terminal, print_line
from ground_truth_server.edge.key_pair import KeyPair
from ground_truth_server.edge.loopback import HOST
from ground_truth_server.edge.network import check_origin
from ground_truth_server.people.access_keys import AccessKeys
from ground_truth_server.s3.storage import EmbeddedS3
from ground_truth_server.shutdown import until_told

_DESCRIPTION = """\
The embedded S3 by itself: each bucket is a folder in the workspace. Servers that share it are started with
--s3 URL. It has no TLS of its own, and answers nothing that isn't signed with a key: the workspace's, or one that
was issued with ground-truth keys, where it has their database.
"""
_EXAMPLES = """\
examples:
  ground-truth s3 --workspace /srv/buckets
  ground-truth s3 --listen 0.0.0.0 --name s3 --url https://s3.example.com     also asked for as http://s3:8087, by
      servers, and through a proxy by clients elsewhere
"""


def add_arguments(made: ArgumentParser) -> None:
    """Say what it takes."""
    made.description, made.epilog = _DESCRIPTION, _EXAMPLES
    add_places(made)
    made.add_argument(
        "--listen", default=HOST, metavar="ADDRESS", help="the address to listen on (default: %(default)s)"
    )
    made.add_argument(
        "--port", type=int, default=Ports().s3, help="the port; 0 takes a free one (default: %(default)s)"
    )
    made.add_argument(
        "--name", action="append", default=[], help="a further host name by which it is asked for; again for more"
    )
    made.add_argument("--url", default="", help="the https origin by which clients elsewhere reach it")


def run(given: Namespace) -> int:
    """Serve until it is told to end."""
    log_to_the_terminal()
    origins = [given.url.rstrip("/")] if given.url else []
    for origin in origins:
        check_origin("--url", origin)
    keep_shared_keys(given.workspace)
    with until_told() as told, records_at(given) as records:
        keys = AccessKeys(KeyPair.of_workspace(given.workspace), records)
        with EmbeddedS3(given.workspace, given.port, given.listen, given.name, origins=origins, keys=keys) as s3:
            print_line(f"S3: {s3.endpoint_url}   (Ctrl-C ends it)")
            told.wait()
    return 0

"""The worker page of one item, rendered by SageMaker before a job starts: what is wrong shows before workers see it."""

import html
import json
import re
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import ClientError, HTTPClientError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from labeling import manifest
from labeling.errors import ItemError
from labeling.job import JobConfiguration
from labeling.storage import Storage

from cli.account import AwsAccount
from cli.errors import CommandError, code_of, message_of
from cli.local_pre_labeling import LocalPreLabeling
from cli.manifest_file import opened

# A broken item is the manifest check's business; that none of so many can be shown is the job's.
ITEMS: Final = 10
# What RenderUiTemplate takes; a job's own template may be longer.
MOST_CHARACTERS: Final = 128_000
GO_ON: Final = "--no-rehearsal starts the job without rendering the page first."
_LINK = re.compile(r"https?://[^\s\"'<>]+")
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def rehearse(  # noqa: PLR0913  (what a labeling job is made of)
    account: AwsAccount, *, job: JobConfiguration, page: str, manifest_place: str, bucket: str, role: str
) -> str:
    """Renders the worker page of the manifest's first item that can be shown, and fetches the links in it.

    It proves that the page's Liquid runs, that SageMaker may assume the role, that the role reads the item's files, and
    that browsers may.

    Args:
        account: Where the job will run.
        job: The job configuration.
        page: The worker page.
        manifest_place: The input manifest's S3 URI.
        bucket: Where plots go.
        role: The role that the job will run under.

    Returns:
        What was done, for people.

    Raises:
        CommandError: If workers wouldn't see the item as they should; the message says why and what to do.
        botocore.exceptions.ClientError: If SageMaker refuses for another reason than role or page.
        labeling.errors.LabelingError: If the manifest or the bucket can't be read.
    """
    if len(page) > MOST_CHARACTERS:
        return f"The worker page has {len(page):,} characters, more than RenderUiTemplate takes: it was not rendered."
    line, task_input = _first_item(account, job, manifest_place, bucket)
    if line == 0:
        return "Every item has its label already: no worker page was rendered."
    rendered = _render(account, page, task_input, role)
    links = sorted({html.unescape(link) for link in _LINK.findall(rendered) if "Signature=" in link})
    for link in links:
        _fetch(link, role)
    return f"Rendered the page of line {line} with SageMaker, and fetched its {len(links)} files as a browser does."


def _first_item(
    account: AwsAccount, job: JobConfiguration, manifest_place: str, bucket: str
) -> tuple[int, dict[str, Any]]:
    """The line and the task input of the first item for workers; line 0 if every one has its label."""
    problem = ""
    storage = Storage(account.s3)
    with opened(manifest_place, storage) as file, ThreadPoolExecutor(16) as pool:
        pre_labeling = LocalPreLabeling(job, storage, pool, bucket)
        for line in islice(file.lines(), ITEMS):
            try:
                task_input = pre_labeling.task_input(manifest.data_object(line))
            except ItemError as error:
                problem = problem or f"line {line.number}: {error}"
            else:
                if task_input:
                    return line.number, task_input
    if problem:
        raise CommandError(
            f"None of the first {ITEMS} items of {manifest_place} can be shown to workers. The first trouble is in "
            f"{problem} “labeling-job check” lists all. {GO_ON}"
        )
    return 0, {}


def _render(account: AwsAccount, page: str, task_input: dict[str, Any], role: str) -> str:
    try:
        answer = account.sagemaker.render_ui_template(
            UiTemplate={"Content": page}, Task={"Input": json.dumps(task_input, ensure_ascii=False)}, RoleArn=role
        )
    except ClientError as error:
        raise CommandError(
            f"SageMaker doesn't render the worker page under the role {role} ({code_of(error)}: {message_of(error)}). "
            "The role's trust policy must name sagemaker.amazonaws.com, and you need sagemaker:RenderUiTemplate and "
            f"iam:PassRole for it. Nothing was started. {GO_ON}"
        ) from None
    if answer["Errors"]:
        told = "\n".join(f"  {error['Code']}: {error['Message']}" for error in answer["Errors"])
        raise CommandError(
            f"The worker page has errors, so nothing was started:\n{told}\n“labeling-job render” makes the page of any "
            f"item while you mend it. {GO_ON}"
        )
    return answer["RenderedContent"]


def _fetch(link: str, role: str) -> None:
    """Fetches the first byte of a file as a worker's browser would, from a page of another origin."""
    proxies = {} if urlsplit(link).hostname in _LOOPBACK else get_environ_proxies(link)
    request = AWSRequest("GET", link, headers={"Range": "bytes=0-0", "Origin": "https://worker-page.example"})
    name = link.partition("?")[0]
    try:
        answer = URLLib3Session(proxies=proxies, timeout=20).send(request.prepare())
    except HTTPClientError as error:
        raise CommandError(f"{name}, which the worker page shows, can't be fetched: {error}. {GO_ON}") from None
    if answer.status_code >= 400:
        code = re.search(r"<Code>(\w{1,60})</Code>", answer.text[:10_000])
        raise CommandError(
            f"{name}, which the worker page shows, can't be fetched with the rights of {role} (status "
            f"{answer.status_code}{f', {code[1]}' if code else ''}): let the role read it, and decrypt it if a key of "
            f"yours encrypts it. Nothing was started. {GO_ON}"
        )
    if not answer.headers.get("Access-Control-Allow-Origin"):
        raise CommandError(
            f"{name}, which the worker page shows, is answered without Access-Control-Allow-Origin: the bucket needs a "
            "CORS rule that allows GET from any origin (docs/deploy.md has it), or tasks fail. Nothing was started. "
            f"{GO_ON}"
        )

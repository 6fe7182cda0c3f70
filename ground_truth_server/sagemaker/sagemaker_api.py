"""SageMaker's operations for labeling jobs, work teams, tags and worker pages, as clients call them.

Each operation takes the request, valid by its model, and the caller; it gives the answer's members as the
model names them, and raises `AwsError` where the real service refuses.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol

import msgspec

from ground_truth_server.aws_error import AwsError, invalid
from ground_truth_server.engine.labeling_job import LabelingJobNotFound, LabelingJobRefused
from ground_truth_server.people.work_teams import WorkteamTable, workteam_resource
from ground_truth_server.people.workforces import WorkforceTable
from ground_truth_server.sagemaker.aws_json import Caller, Operation
from ground_truth_server.sagemaker.human_task_uis import HumanTaskUiTable
from ground_truth_server.sagemaker.labeling_job_request import check_labeling_job
from ground_truth_server.sagemaker.paging import Place, page

Members = dict[str, Any]


class LabelingJobs(Protocol):
    """The job engine, as the API needs it: jobs go by a key of its own. Case doesn't tell the names of jobs apart."""

    def new_key(self, name: str, region: str, account: str) -> str:
        """The key that a job of this name would get."""

    def create(
        self, request: Members, region: str, account: str, remarks: Sequence[str] = (), owner: str | None = None
    ) -> str:
        """Start a job, with remarks for its owner, and give its ARN, or raise `LabelingJobRefused`."""

    def find(self, name: str, region: str, account: str) -> str:
        """The key of a job by where it was created, or `LabelingJobNotFound`."""

    def describe(self, name: str) -> Members:
        """What DescribeLabelingJob answers of the job with a key, and its ``Key``."""

    def list(self) -> Sequence[Members]:
        """All jobs of all regions, each as ``describe`` has it."""

    def owner(self, name: str) -> str | None:
        """Who created the job with a key, if somebody had to say."""

    def stop(self, name: str) -> None:
        """Begin to stop the job with a key, or raise `LabelingJobRefused`."""


class Rendering(Protocol):
    """A worker page made from a template."""

    @property
    def html(self) -> str:
        """The whole document."""

    @property
    def errors(self) -> Sequence[object]:
        """What is wrong with the template; each as ``str`` says what and where."""


Render = Callable[[str, Members], Rendering]
"""Takes a template and a task input and gives the page."""

_TIMES = ("CreationTime", "LastModifiedTime")
_SUMMARY = (
    "LabelingJobName",
    "LabelingJobArn",
    "CreationTime",
    "LastModifiedTime",
    "LabelingJobStatus",
    "LabelCounters",
    "FailureReason",
    "LabelingJobOutput",
    "InputConfig",
)


class SageMakerApi:
    """The operations, over a job engine and an account."""

    def __init__(  # noqa: PLR0913  (what the operations are about)
        self,
        jobs: LabelingJobs,
        account: WorkteamTable,
        workforces: WorkforceTable,
        uis: HumanTaskUiTable,
        render: Render,
        *,
        portal: str | None = None,
    ) -> None:
        """Bring together what the operations work with.

        Args:
            jobs: The job engine.
            account: Work teams and tags.
            workforces: The workforce.
            uis: Worker pages that have a name of their own.
            render: Makes worker pages.
            portal: Host and port of the worker portal, which work teams are described with.
        """
        self._jobs = jobs
        self._account = account
        self._workforces = workforces
        self._uis = uis
        self._render = render
        self._portal = portal
        self._creating = threading.Lock()

    def operations(self) -> dict[str, Operation]:
        """All operations by the name that clients call them by."""
        return {
            "AddTags": self.add_tags,
            "CreateHumanTaskUi": self.create_human_task_ui,
            "CreateLabelingJob": self.create_labeling_job,
            "CreateWorkforce": _for_admins(self.create_workforce),
            "CreateWorkteam": self.create_workteam,
            "DeleteHumanTaskUi": self.delete_human_task_ui,
            "DeleteTags": self.delete_tags,
            "DeleteWorkforce": _for_admins(self.delete_workforce),
            "DeleteWorkteam": _for_admins(self.delete_workteam),
            "DescribeHumanTaskUi": self.describe_human_task_ui,
            "DescribeLabelingJob": self.describe_labeling_job,
            "DescribeWorkforce": self.describe_workforce,
            "DescribeWorkteam": self.describe_workteam,
            "ListHumanTaskUis": self.list_human_task_uis,
            "ListLabelingJobs": self.list_labeling_jobs,
            "ListLabelingJobsForWorkteam": self.list_labeling_jobs_for_workteam,
            "ListTags": self.list_tags,
            "ListWorkforces": self.list_workforces,
            "ListWorkteams": self.list_workteams,
            "RenderUiTemplate": self.render_ui_template,
            "StopLabelingJob": self.stop_labeling_job,
            "UpdateWorkforce": _for_admins(self.update_workforce),
            "UpdateWorkteam": _for_admins(self.update_workteam),
        }

    def create_labeling_job(self, request: Members, caller: Caller) -> Members:
        """Check the request and start the job."""
        check_labeling_job(request)
        remarks = self._check_workteam(request["HumanTaskConfig"]["WorkteamArn"], caller)
        tags = _tags(request)
        name = request["LabelingJobName"]
        with self._creating, _engine_errors():
            self._refuse_used_name(name, caller)
            # Tags go first: were they written after, a crash between the two would leave a job without them.
            key = self._jobs.new_key(name, caller.region, caller.account)
            self._account.replace_tags(_job_resource(key), tags)
            owner = caller.principal.id if caller.principal else None
            arn = self._jobs.create(request, caller.region, caller.account, remarks, owner)
            return {"LabelingJobArn": arn}

    def describe_labeling_job(self, request: Members, caller: Caller) -> Members:
        """The job's state, counters and configuration."""
        job = self._job(request["LabelingJobName"], caller)
        tags = self._account.tags(_job_resource(job["Key"]))
        return {**job, "Tags": _tag_list(tags)}

    def list_labeling_jobs(self, request: Members, caller: Caller) -> Members:
        """Summaries of the jobs that the filters let through, by creation time if nothing else is asked."""
        jobs = filter(_job_filter(request), self._own_jobs(caller))
        shown, token = page(jobs, _job_place(request.get("SortBy", "CreationTime")), request)
        return {"LabelingJobSummaryList": [_summary(job) for job in shown], "NextToken": token}

    def list_labeling_jobs_for_workteam(self, request: Members, caller: Caller) -> Members:
        """What the jobs of one work team are to its workers."""
        self._check_workteam(request["WorkteamArn"], caller)
        jobs = (
            job
            for job in filter(_job_filter(request), self._own_jobs(caller))
            if job["HumanTaskConfig"]["WorkteamArn"] == request["WorkteamArn"]
            and request.get("JobReferenceCodeContains", "") in job["JobReferenceCode"]
        )
        shown, token = page(jobs, _job_place("CreationTime"), request)
        return {"LabelingJobSummaryList": [_work(job, caller) for job in shown], "NextToken": token}

    def stop_labeling_job(self, request: Members, caller: Caller) -> Members:
        """Begin to stop a job that runs."""
        with _engine_errors():
            self._jobs.stop(self._job(request["LabelingJobName"], caller)["Key"])
        return {}

    def render_ui_template(self, request: Members, caller: Caller) -> Members:
        """A worker page as a worker would see it, without a job."""
        template = self._template(request, caller)
        rendering = self._render(template, _task_input(request["Task"]["Input"]))
        errors = [{"Code": "TemplateError", "Message": str(error)} for error in rendering.errors]
        return {"RenderedContent": rendering.html, "Errors": errors}

    def create_human_task_ui(self, request: Members, caller: Caller) -> Members:
        """Keep a worker page under a name of its own."""
        name = request["HumanTaskUiName"]
        tags = _tags(request)
        self._uis.add(name, request["UiTemplate"]["Content"])
        self._account.replace_tags(_ui_resource(name), tags)
        return {"HumanTaskUiArn": caller.arn(_ui_resource(name))}

    def describe_human_task_ui(self, request: Members, caller: Caller) -> Members:
        """A worker page that has a name: when it was made, and the digest of its text."""
        name = request["HumanTaskUiName"]
        return {**self._uis.describe(name), "HumanTaskUiArn": caller.arn(_ui_resource(name))}

    def list_human_task_uis(self, request: Members, caller: Caller) -> Members:
        """The worker pages that have names, by creation time."""
        bounds = [(side, request.get(f"CreationTime{side}")) for side in ("After", "Before")]
        uis = (
            {**ui, "HumanTaskUiArn": caller.arn(_ui_resource(ui["HumanTaskUiName"]))}
            for ui in self._uis.all()
            if all(_is_beyond(ui["CreationTime"], side, bound) for side, bound in bounds)
        )
        shown, token = page(uis, lambda ui: (_sortable(ui["CreationTime"]), ui["HumanTaskUiName"]), request)
        return {"HumanTaskUiSummaries": shown, "NextToken": token}

    def delete_human_task_ui(self, request: Members, _caller: Caller) -> Members:
        """Forget a worker page that has a name."""
        name = request["HumanTaskUiName"]
        self._uis.remove(name)
        self._account.replace_tags(_ui_resource(name), {})
        return {}

    def _template(self, request: Members, caller: Caller) -> str:
        if ("HumanTaskUiArn" in request) == ("UiTemplate" in request):
            raise invalid("Either UiTemplate or HumanTaskUiArn must be given.")
        if "UiTemplate" in request:
            return str(request["UiTemplate"]["Content"])
        arn = request["HumanTaskUiArn"]
        name = arn.rpartition("/")[2]
        if arn != caller.arn(_ui_resource(name)):
            raise invalid(f"There is no human task UI {arn}: AWS's built-in worker pages aren't there.")
        return self._uis.content(name)

    def create_workforce(self, request: Members, caller: Caller) -> Members:
        """Keep a workforce: where workers may come from, and the provider at which they sign in."""
        name = request["WorkforceName"]
        tags = _tags(request)
        self._workforces.add(name, _workforce_details(request))
        self._account.replace_tags(_workforce_resource(name), tags)
        return {"WorkforceArn": caller.arn(_workforce_resource(name))}

    def describe_workforce(self, request: Members, caller: Caller) -> Members:
        """The workforce."""
        return {"Workforce": self._workforce(self._workforces.describe(request["WorkforceName"]), caller)}

    def list_workforces(self, request: Members, caller: Caller) -> Members:
        """The workforce, if its name contains what is asked."""
        part = request.get("NameContains", "").lower()
        forces = (force for force in self._workforces.all() if part in force["WorkforceName"].lower())
        shown, token = page(forces, lambda force: (_sortable(force["CreateDate"]), force["WorkforceName"]), request)
        return {"Workforces": [self._workforce(force, caller) for force in shown], "NextToken": token}

    def update_workforce(self, request: Members, caller: Caller) -> Members:
        """Change where workers may come from, or the provider."""
        name = request["WorkforceName"]
        self._workforces.update(name, _workforce_details(request))
        return {"Workforce": self._workforce(self._workforces.describe(name), caller)}

    def delete_workforce(self, request: Members, _caller: Caller) -> Members:
        """Forget the workforce."""
        self._workforces.remove(request["WorkforceName"])
        self._account.replace_tags(_workforce_resource(request["WorkforceName"]), {})
        return {}

    def _workforce(self, force: Members, caller: Caller) -> Members:
        arn = caller.arn(_workforce_resource(force["WorkforceName"]))
        return {**force, "WorkforceArn": arn, "SubDomain": self._portal}

    def create_workteam(self, request: Members, caller: Caller) -> Members:
        """Keep a new work team."""
        _check_members(request["MemberDefinitions"])
        tags = _tags(request)
        name = request["WorkteamName"]
        self._account.add_workteam(name, _workteam_details(request), tags)
        return {"WorkteamArn": caller.arn(workteam_resource(name))}

    def describe_workteam(self, request: Members, caller: Caller) -> Members:
        """A work team with its members."""
        return {"Workteam": self._workteam(self._account.workteam(request["WorkteamName"]), caller)}

    def list_workteams(self, request: Members, caller: Caller) -> Members:
        """The work teams whose names contain what is asked, by creation time if nothing else is asked."""
        part = request.get("NameContains", "").lower()
        workteams = (team for team in self._account.workteams() if part in team["WorkteamName"].lower())
        shown, token = page(workteams, _workteam_place(request.get("SortBy", "CreateDate")), request)
        return {"Workteams": [self._workteam(team, caller) for team in shown], "NextToken": token}

    def update_workteam(self, request: Members, caller: Caller) -> Members:
        """Change a work team's members, description or configuration."""
        _check_members(request.get("MemberDefinitions", ()))
        name = request["WorkteamName"]
        self._account.update_workteam(name, _workteam_details(request))
        return {"Workteam": self._workteam(self._account.workteam(name), caller)}

    def delete_workteam(self, request: Members, _caller: Caller) -> Members:
        """Forget a work team. Jobs that were created with it go on."""
        self._account.remove_workteam(request["WorkteamName"])
        return {"Success": True}

    def list_tags(self, request: Members, caller: Caller) -> Members:
        """A job's or work team's tags, on one page: no resource has more than a page of them."""
        return {"Tags": _tag_list(self._account.tags(self._resource(request["ResourceArn"], caller)))}

    def add_tags(self, request: Members, caller: Caller) -> Members:
        """Give a job or work team tags."""
        resource = self._resource(request["ResourceArn"], caller)
        return {"Tags": _tag_list(self._account.add_tags(resource, _tags(request)))}

    def delete_tags(self, request: Members, caller: Caller) -> Members:
        """Take tags from a job or work team."""
        self._account.remove_tags(self._resource(request["ResourceArn"], caller), request["TagKeys"])
        return {}

    def _job(self, name: str, caller: Caller) -> Members:
        """A job of the caller's region and account."""
        with _engine_errors():
            key = self._jobs.find(name, caller.region, caller.account)
            if not caller.owns(self._jobs.owner(key)):
                raise LabelingJobNotFound(f"There is no labeling job named {name} of yours.")
            return self._jobs.describe(key)

    def _own_jobs(self, caller: Caller) -> Iterator[Members]:
        """The jobs of the caller's region and account that are the caller's to see."""
        prefix = caller.arn("labeling-job/")
        return (
            job
            for job in self._jobs.list()
            if job["LabelingJobArn"].startswith(prefix) and caller.owns(self._jobs.owner(job["Key"]))
        )

    def _refuse_used_name(self, name: str, caller: Caller) -> None:
        try:
            arn = self._jobs.describe(self._jobs.find(name, caller.region, caller.account))["LabelingJobArn"]
        except LabelingJobNotFound:
            return
        raise AwsError(
            "ResourceInUse",
            "Labeling job names must be unique within an AWS account and region, whatever their case, and "
            f"a job with this name already exists ({arn}). Jobs can't be deleted: choose another name.",
        )

    def _check_workteam(self, arn: str, caller: Caller) -> list[str]:
        """See that a work team is there, in whatever account and region its ARN says: a request may come from AWS.

        Returns:
            What the job's owner should know of it.
        """
        kind, _, name = arn.rpartition(":workteam/")[2].partition("/")
        if kind in ("vendor-crowd", "public-crowd"):
            return [
                f"{arn} isn't there: nobody outside labels here. Whoever signs in to the portal can take the tasks."
            ]
        names = {workteam["WorkteamName"] for workteam in self._account.workteams()}
        if kind != "private-crowd" or name not in names:
            known = ", ".join(sorted(caller.arn(workteam_resource(one)) for one in names))
            raise invalid(f"There is no work team {arn}. There are: {known}.")
        return []

    def _workteam(self, workteam: Mapping[str, Any], caller: Caller) -> Members:
        return {
            **workteam,
            "WorkteamArn": caller.arn(workteam_resource(workteam["WorkteamName"])),
            "WorkforceArn": caller.arn(_workforce_resource(self._workforces.name)),
            "SubDomain": self._portal,
        }

    def _resource(self, arn: str, caller: Caller) -> str:
        """The end of the ARN of a job or work team that is there."""
        resource = arn.rpartition(":")[2]
        kind, _, name = resource.rpartition("/")
        if kind == "labeling-job":
            job = self._job(name, caller)
            known, resource = job["LabelingJobArn"], _job_resource(job["Key"])
        elif resource == workteam_resource(name):
            known = caller.arn(workteam_resource(self._account.workteam(name)["WorkteamName"]))
        elif resource == _workforce_resource(name):
            known = caller.arn(_workforce_resource(self._workforces.describe(name)["WorkforceName"]))
        elif resource == _ui_resource(name):
            known = caller.arn(_ui_resource(self._uis.describe(name)["HumanTaskUiName"]))
        else:
            raise invalid(f"ResourceArn {arn} is not that of a labeling job, work team, workforce or human task UI.")
        if arn != known:
            raise invalid(f"There is no resource {arn}; the one of that name is {known}.")
        return resource


@contextmanager
def _engine_errors() -> Iterator[None]:
    """What the engine refuses, as SageMaker's errors."""
    try:
        yield
    except LabelingJobNotFound as error:
        raise AwsError("ResourceNotFound", str(error)) from error
    except LabelingJobRefused as error:
        raise AwsError(error.code, str(error)) from error


def _for_admins(operation: Operation) -> Operation:
    """Refuse an operation to those who aren't admins."""

    def checked(request: Members, caller: Caller) -> Mapping[str, Any]:
        if not caller.is_admin:
            message = "This access key is an owner's, and this call is for admins: ground-truth keys add --role admin"
            raise AwsError("AccessDeniedException", message, 403)
        return operation(request, caller)

    return checked


def _workforce_resource(name: str) -> str:
    return f"workforce/private-crowd/{name}"


def _ui_resource(name: str) -> str:
    return f"human-task-ui/{name}"


def _workforce_details(request: Members) -> Members:
    return {member: request[member] for member in request.keys() - {"WorkforceName", "Tags"}}


def _job_resource(key: str) -> str:
    # Ground Truth lowers the name in ARNs, as it does not tell names apart by case.
    return f"labeling-job/{key.lower()}"


def _job_filter(request: Members) -> Callable[[Members], bool]:
    """Whether a job passes the request's filters; times are exclusive."""
    bounds = [(time, side, request.get(f"{time}{side}")) for time in _TIMES for side in ("After", "Before")]
    part = request.get("NameContains", "").lower()

    def passes(job: Members) -> bool:
        return (
            part in job["LabelingJobName"].lower()
            and request.get("StatusEquals", job["LabelingJobStatus"]) == job["LabelingJobStatus"]
            and all(_is_beyond(job[time], side, bound) for time, side, bound in bounds)
        )

    return passes


def _is_beyond(moment: datetime, side: str, bound: datetime | None) -> bool:
    return bound is None or (moment > bound if side == "After" else moment < bound)


def _job_place(sort_by: str) -> Callable[[Members], Place]:
    member = {"Name": "LabelingJobName", "Status": "LabelingJobStatus"}.get(sort_by, sort_by)
    return lambda job: (_sortable(job[member]), job["LabelingJobName"])


def _workteam_place(sort_by: str) -> Callable[[Members], Place]:
    member = {"Name": "WorkteamName"}.get(sort_by, sort_by)
    return lambda workteam: (_sortable(workteam[member]), workteam["WorkteamName"])


def _sortable(value: str | datetime) -> str:
    return value.isoformat(timespec="microseconds") if isinstance(value, datetime) else value.lower()


def _summary(job: Members) -> Members:
    task = job["HumanTaskConfig"]
    consolidation = task.get("AnnotationConsolidationConfig", {})
    return {
        **{member: job[member] for member in _SUMMARY if member in job},
        "WorkteamArn": task["WorkteamArn"],
        "PreHumanTaskLambdaArn": task.get("PreHumanTaskLambdaArn"),
        "AnnotationConsolidationLambdaArn": consolidation.get("AnnotationConsolidationLambdaArn"),
    }


def _work(job: Members, caller: Caller) -> Members:
    counters = job["LabelCounters"]
    return {
        "LabelingJobName": job["LabelingJobName"],
        "JobReferenceCode": job["JobReferenceCode"],
        "WorkRequesterAccountId": caller.account,
        "CreationTime": job["CreationTime"],
        "LabelCounters": {
            "HumanLabeled": counters["HumanLabeled"],
            "PendingHuman": counters["Unlabeled"],
            "Total": counters["TotalLabeled"] + counters["Unlabeled"] + counters["FailedNonRetryableError"],
        },
        "NumberOfHumanWorkersPerDataObject": job["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"],
    }


def _task_input(text: str) -> Members:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise invalid(
            f"Task.Input must be a JSON object, as a pre-annotation function's taskInput: {error}."
        ) from error


def _check_members(definitions: Sequence[Mapping[str, Any]]) -> None:
    kinds = {frozenset(definition) for definition in definitions}
    if len(kinds) > 1 or any(len(kind) != 1 for kind in kinds):
        raise invalid(
            "Each of MemberDefinitions must have either CognitoMemberDefinition or OidcMemberDefinition, "
            "and all of them the same."
        )


def _workteam_details(request: Members) -> Members:
    return {member: request[member] for member in request.keys() - {"WorkteamName", "WorkforceName", "Tags"}}


def _tags(request: Members) -> dict[str, str]:
    """The request's tags, by key; no key may be there twice or be reserved."""
    problems = list(_tag_problems([tag["Key"] for tag in request.get("Tags", ())]))
    if problems:
        raise invalid(" ".join(problems))
    return {tag["Key"]: tag["Value"] for tag in request.get("Tags", ())}


def _tag_problems(keys: Sequence[str]) -> Iterator[str]:
    for key in sorted({key for key in keys if keys.count(key) > 1}):
        yield f"The tag key '{key}' is there more than once; keys must be unique."
    for key in keys:
        if key.lower().startswith("aws:"):
            yield f"The tag key '{key}' begins with 'aws:', which is reserved."


def _tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]

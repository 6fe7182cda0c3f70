"""A labeling job as Ground Truth leaves it in S3 when it fails half-way: file by file, as its contract says.

Nothing here is made by the server's code: the bytes stand as they do in a bucket.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME = "WeldingLabelJob1"
BUCKET = "plant-groundtruth"
ACCOUNT = "444455556666"
ARN = f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:labeling-job/weldinglabeljob1"
TEMPLATE = """<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form><crowd-classifier name="Weld" categories="['Good Weld', 'Burn Through']" header="{{ task.input.file }}">
<classification-target>{{ task.input.file }}</classification-target></crowd-classifier></crowd-form>
"""


def metadata(created: str, confidence: str = "0.00") -> str:
    """What Ground Truth writes beside a label, spaced as in its guide's examples."""
    return (
        f'{{"confidence": {confidence}, "job-name": "labeling-job/{NAME}", "type": "groundtruth/custom", '
        f'"human-annotated": "yes", "creation-date": "{created}"}}'
    )


def uri(key: str) -> str:
    return f"s3://{BUCKET}/{key}"


# Lines as they were uploaded: spaces as they come, keys of the owner's own, an earlier job's label, one object twice.
INPUT = [
    f'{{"source":"{uri("dataset/1.json")}","line":4.50}}',
    f'{{"source": "{uri("dataset/2.json")}"}}',
    f'{{"source-ref": "{uri("images/3.png")}", "Press": {{"class": "A", "share": 1.0e-3}}, "Press-metadata": {{}}}}',
    f'{{"source": "{uri("dataset/4.json")}"}}',
    f'{{"source": "{uri("dataset/4.json")}"}}',
    f'{{"source": "{uri("dataset/6.json")}", "shift": "früh"}}',
    f'{{"source": "{uri("dataset/7.json")}"}}',
    '{"sauce": "no object"}',
    f'{{"source": "{uri("dataset/9.json")}"}}',
]
METADATA_1, METADATA_5 = metadata("2020-09-15T16:16:12.527256"), metadata("2020-09-15T16:16:12.527300", "0.90")
LABEL_1 = f'"Weld": {{"WeldingClassification": "Good Weld"}}, "Weld-metadata": {METADATA_1}'
LABEL_5 = f'"Weld": {{"WeldingClassification": "Burn Through"}}, "Weld-metadata": {METADATA_5}'
LABELED_1 = INPUT[0][:-1] + f",  {LABEL_1}}}"
LABELED_5 = INPUT[4][:-1] + f", {LABEL_5}}}"
FAILED_3 = (
    INPUT[2][:-1] + ', "Weld-metadata": {"failure-reason": "ClientError: nobody answered", '
    f'"job-name": "labeling-job/{NAME}", "type": "groundtruth/custom", "human-annotated": "yes", '
    '"creation-date": "2020-09-15T16:20:00.000000"}}'
)
# The newest intermediate manifest: lines 1 and 5 are labeled, line 3 failed, the others stand unchanged.
NEWEST = [LABELED_1, INPUT[1], FAILED_3, INPUT[3], LABELED_5, *INPUT[5:]]
OLDER = [LABELED_1, *INPUT[1:]]


def described(**changes: Any) -> dict[str, Any]:
    """What ``aws sagemaker describe-labeling-job`` prints of it."""
    task: dict[str, Any] = {
        "WorkteamArn": f"arn:aws:sagemaker:eu-central-1:{ACCOUNT}:workteam/private-crowd/inspectors",
        "UiConfig": {"UiTemplateS3Uri": uri("worker-page/template.liquid.html")},
        "PreHumanTaskLambdaArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:SageMakerBefore",
        "TaskKeywords": ["weld"],
        "TaskTitle": "Classify the weld",
        "TaskDescription": "Look at the picture and the plots",
        "NumberOfHumanWorkersPerDataObject": 2,
        "TaskTimeLimitInSeconds": 3600,
        "TaskAvailabilityLifetimeInSeconds": 864000,
        "MaxConcurrentTaskCount": 1000,
        "AnnotationConsolidationConfig": {
            "AnnotationConsolidationLambdaArn": f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:SageMakerAfter"
        },
    }
    return {
        "LabelingJobStatus": "Failed",
        "LabelCounters": {
            "TotalLabeled": 2,
            "HumanLabeled": 2,
            "MachineLabeled": 0,
            "FailedNonRetryableError": 1,
            "Unlabeled": 6,
        },
        "FailureReason": "ClientError: Exception invoking the Lambda function. LambdaErrorCode: Unhandled",
        "CreationTime": "2020-09-15T18:00:00.123000+02:00",
        "LastModifiedTime": 1600186800.5,
        "JobReferenceCode": "0123456789abcdef",
        "LabelingJobName": NAME,
        "LabelingJobArn": ARN,
        "LabelAttributeName": "Weld",
        "InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": uri("manifests/input.manifest")}}},
        "OutputConfig": {"S3OutputPath": uri("output/"), "KmsKeyId": ""},
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/GroundTruth",
        "HumanTaskConfig": task,
        "Tags": [{"Key": "aws:cloudformation:stack-name", "Value": "w"}, {"Key": "Plant", "Value": "7"}],
        **changes,
    }


def answers(*given: str) -> dict[str, Any]:
    """A worker response."""
    return {
        "answers": [
            {
                "acceptanceTime": "2020-09-15T16:17:15.191Z",
                "submissionTime": "2020-09-15T16:17:58.321Z",
                "timeSpentInSeconds": 43.13,
                "workerId": f"private.eu-central-1.a12b3cdefg4h5i6{number}",
                "workerMetadata": {
                    "identityData": {"identityProviderType": "Cognito", "issuer": "https://c", "sub": "0a"}
                },
                "answerContent": {"Weld": {"label": label}},
            }
            for number, label in enumerate(given)
        ]
    }


@dataclass
class FormerLabelingJob:
    """All files of the job, by their keys."""

    files: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def failed(cls) -> "FormerLabelingJob":
        """One that failed after its second wave."""
        job = cls()
        job.put("manifests/input.manifest", "\ufeff" + "\r\n".join(INPUT) + "\r\n")
        job.put("worker-page/template.liquid.html", TEMPLATE)
        for number in (1, 2, 4, 6, 7, 9):
            job.put(f"dataset/{number}.json", {"image": {"s3Path": uri(f"images/{number}.png")}})
            job.put(f"images/{number}.png", f"picture {number}")
        job.put("images/3.png", "picture 3")
        for wave, lines in (("2", OLDER), ("10", NEWEST)):
            text = "".join(f"{line}\n" for line in lines)
            job.put_output(f"manifests/intermediate/{wave}/output.manifest", text)
            job.put_output(f"annotations/intermediate/{wave}/annotations.manifest", text)
        stamp = "iteration-11/2020-09-15_16:16:11.json"
        batch = "annotations/consolidated-annotation/consolidation"
        job.put_output(
            f"{batch}-request/{stamp}",
            [
                {"datasetObjectId": "5", "dataObject": {"content": uri("dataset/6.json")}, "annotations": []},
                {"datasetObjectId": "0", "dataObject": {"content": uri("dataset/1.json")}, "annotations": []},
                {"datasetObjectId": "8", "dataObject": {"content": uri("dataset/other.json")}, "annotations": []},
            ],
        )
        label = {"Weld": {"WeldingClassification": "Burn Through"}, "Weld-metadata": {"votes": 2}}
        job.put_output(
            f"{batch}-response/{stamp}",
            [
                {"datasetObjectId": number, "consolidatedAnnotation": {"content": label}}
                for number in ("5", "0", "8")  # 0 is in the manifest already; 8 was another object
            ]
            + [{"datasetObjectId": "1", "consolidatedAnnotation": {"content": {"Other": 1}}}],
        )
        job.put_output("annotations/worker-response/iteration-10/1/2020-09-15_16:17:58.json", answers("Good Weld"))
        job.put_output("annotations/worker-response/iteration-10/0/2020-09-15_16:17:58.json", answers("Good Weld", "X"))
        job.put_output("annotations/worker-response/iteration-10/6/2020-09-15_16:17:59.json", answers("A", "B"))
        return job

    def put(self, key: str, body: object) -> None:
        self.files[key] = (body if isinstance(body, str) else json.dumps(body)).encode()

    def put_output(self, path: str, body: object) -> None:
        self.put(f"output/{NAME}/{path}", body)

    def into_s3(self, s3: "S3Client", *folders: str) -> None:
        """Put it into its bucket, or some folders of it."""
        if BUCKET not in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
            s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        for key, body in self.files.items():
            if not folders or key.startswith(folders):
                s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def into_folder(self, folder: Path) -> None:
        """Put it on the disk, as ``aws s3 sync`` does."""
        for key, body in self.files.items():
            (folder / key).parent.mkdir(parents=True, exist_ok=True)
            (folder / key).write_bytes(body)

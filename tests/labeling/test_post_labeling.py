"""A batch of answers becomes labels: for Ground Truth in the contract's shape, and in S3 for training."""

import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from labeling.errors import EventError, MissingObjectError
from labeling.job import load_configured
from labeling.post_labeling import PostLabeling
from labeling.storage import Storage

from tests.conftest import Bucket

# Nobody answered the further question of the sample job, which needn't be.
NOT_MARKED = {"regions": [], "confidence": 0.0, "answers": 0}
NAMES = load_configured({}).label.category_names
ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/weldinglabeljob1"
DATASET = {"sensor_data": {"s3Path": "s3://b/sensor_data/weld.1.csv"}, "image": {"s3Path": "s3://b/images/weld.1.png"}}


@pytest.fixture
def post_labeling(bucket: Bucket) -> Iterator[PostLabeling]:
    with ThreadPoolExecutor(4) as pool:
        yield PostLabeling(load_configured({}), Storage(bucket.s3), pool)


def annotation(worker: str, content: Any) -> dict[str, Any]:
    text = content if isinstance(content, str) else json.dumps(content)
    return {"workerId": worker, "annotationData": {"content": text}}


def label(category: Any) -> dict[str, Any]:
    return {"WeldingClassification": {"label": category}}


def event(bucket: Bucket, payload: Any, stamp: str = "2020-09-15_16:16:11") -> dict[str, Any]:
    folder = "output/WeldingLabelJob1/annotations"
    key = f"{folder}/consolidated-annotation/consolidation-request/iteration-1/{stamp}.json"
    return {
        "version": "2018-10-06",
        "labelingJobArn": ARN,
        "labelCategories": None,
        "labelAttributeName": "WeldingLabelJob1",
        "roleArn": "arn:aws:iam::111122223333:role/x",
        "outputConfig": f"s3://{bucket.name}/{folder}",
        "maxHumanWorkersPerDataObject": 1,
        "payload": {"s3Uri": bucket.put(key, payload)},
    }


def the_object(object_id: str, data_object: dict[str, Any], *annotations: Any) -> dict[str, Any]:
    return {"datasetObjectId": object_id, "dataObject": data_object, "annotations": list(annotations)}


def lines(bucket: Bucket) -> list[dict[str, Any]]:
    return [json.loads(line) for key in bucket.keys("labels/") for line in bucket.get(key).splitlines()]


def test_the_answer_has_the_contract_s_shape(post_labeling: PostLabeling, bucket: Bucket) -> None:
    dataset = bucket.put("dataset/dataset-5.json", DATASET)
    payload = [the_object("4", {"s3Uri": dataset}, annotation("w1", label("Not sure")))]
    assert post_labeling.answer(event(bucket, payload)) == [
        {
            "datasetObjectId": "4",
            "consolidatedAnnotation": {
                "content": {
                    "WeldingLabelJob1": {
                        "WeldingClassification": "Not sure",
                        "confidence": 1.0,
                        "votes": {"Not sure": 1},
                        "DefectStretch": NOT_MARKED,
                    }
                }
            },
        }
    ]


def test_both_forms_of_objects_and_answers_are_read(post_labeling: PostLabeling, bucket: Bucket) -> None:
    dataset = bucket.put("dataset/dataset-1.json", DATASET)
    stored = {"workerId": "w2", "annotationData": {"s3Uri": bucket.put("answers/1.json", label("Burn Through"))}}
    payload = [
        the_object("0", {"content": dataset}, stored, annotation("w1", label("Burn Through"))),
        the_object("1", {"s3Uri": dataset}, annotation("w1", {"WeldingClassification": "Good Weld"})),
    ]
    answer = post_labeling.answer(event(bucket, payload))
    contents = [entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] for entry in answer]
    assert contents[0] == {
        "WeldingClassification": "Burn Through",
        "confidence": 1.0,
        "votes": {"Burn Through": 2},
        "DefectStretch": NOT_MARKED,
    }
    assert contents[1]["WeldingClassification"] == "Good Weld"


BROKEN: list[tuple[Any, str]] = [
    ("{not json", "no JSON"),
    ("", "no JSON"),
    ("[" * 200_000, "no JSON"),
    ("[1, 2]", "expected a JSON object"),
    ({}, "found nothing; expected an answer named 'WeldingClassification'"),
    ({"Other": {"label": "Good Weld"}}, "found 'Other'"),
    (label("A cat"), "found 'A cat'"),
    (label(None), "found None"),
    (label(["Good Weld"]), "found ['Good Weld']"),
    ({"WeldingClassification": 3}, "found 3"),
]


@pytest.mark.parametrize(("broken", "reason"), BROKEN)
def test_a_broken_answer_is_dropped_counted_and_logged(
    broken: Any, reason: str, post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    dataset = bucket.put("dataset/dataset-1.json", DATASET)
    payload = [the_object("7", {"s3Uri": dataset}, annotation("w1", broken), annotation("w2", label("Good Weld")))]
    with caplog.at_level(logging.WARNING, "mixed-source-labeling"):
        answer = post_labeling.answer(event(bucket, payload))
    assert answer[0]["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]["votes"] == {"Good Weld": 1}
    assert lines(bucket)[0]["dropped_answers"] == 1
    record = next(record for record in caplog.records if "dropped" in record.message)
    assert (record.__dict__["worker"], record.__dict__["object_id"]) == ("w1", "7")
    assert reason in record.__dict__["reason"]


@pytest.mark.parametrize(
    "annotations",
    [
        [],
        None,
        [annotation("w1", "{"), annotation("w2", label("?"))],
        [None, 3, {"workerId": "w"}, {"workerId": "w", "annotationData": {}}],
        [{"workerId": "w", "annotationData": {"s3Uri": "s3://no-such-bucket-here/k"}}],
        [{"workerId": "w", "annotationData": {"s3Uri": "nowhere"}}],
    ],
)
def test_an_object_without_a_usable_answer_is_not_sure_and_the_batch_goes_on(
    annotations: Any, post_labeling: PostLabeling, bucket: Bucket
) -> None:
    dataset = bucket.put("dataset/dataset-1.json", DATASET)
    payload = [
        {"datasetObjectId": "0", "dataObject": {"s3Uri": dataset}, "annotations": annotations},
        the_object("1", {"s3Uri": dataset}, annotation("w1", label("Good Weld"))),
    ]
    first, second = post_labeling.answer(event(bucket, payload))
    assert first["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] == {
        "WeldingClassification": "Not sure",
        "confidence": 0.0,
        "votes": {},
        "DefectStretch": NOT_MARKED,
    }
    assert second["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]["WeldingClassification"] == "Good Weld"


def test_an_odd_object_leaves_the_others_alone(post_labeling: PostLabeling, bucket: Bucket) -> None:
    payload = [
        {"annotations": []},
        {"datasetObjectId": "1", "dataObject": None, "annotations": {}},
        None,
        the_object("2", {"s3Uri": 3}, annotation("w1", label("Good Weld"))),
        the_object("3", {}, annotation("w1", label("Good Weld"))),
        the_object("3", {}, annotation("w2", label("Burn Through"))),
    ]
    answer = post_labeling.answer(event(bucket, payload))
    labels = [entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] for entry in answer]
    assert [entry["datasetObjectId"] for entry in answer] == ["1", "2", "3", "3"]
    assert [label["WeldingClassification"] for label in labels] == [
        "Not sure",
        "Good Weld",
        "Good Weld",
        "Burn Through",
    ]


def test_labels_survive_a_dataset_file_that_may_not_be_read(bucket: Bucket) -> None:
    with ThreadPoolExecutor(4) as pool:
        post_labeling = PostLabeling(load_configured({}), Storage(bucket.s3, {bucket.name}), pool)
        dataset = f"s3://{bucket.name}/dataset/secret.json"
        request = event(bucket, [the_object("0", {"s3Uri": dataset}, annotation("w1", label("Good Weld")))])
        bucket.s3.meta.events.register("before-call.s3.GetObject", refuse_dataset_files)
        try:
            (entry,) = post_labeling.answer(request)
        finally:
            bucket.s3.meta.events.unregister("before-call.s3.GetObject", refuse_dataset_files)
    assert entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]["WeldingClassification"] == "Good Weld"
    assert lines(bucket)[0]["sources"] == {}


def refuse_dataset_files(params: dict[str, Any], **_: Any) -> None:
    """Answers in S3's place: moto refuses nobody unless IAM is set up for it."""
    if "dataset" in params["url_path"]:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "GetObject")


def test_a_worker_counts_once(post_labeling: PostLabeling, bucket: Bucket) -> None:
    payload = [the_object("0", {}, annotation("w1", label("Good Weld")), annotation("w1", label("Burn Through")))]
    answer = post_labeling.answer(event(bucket, payload))
    votes = answer[0]["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]["votes"]
    assert votes == {"Burn Through": 1}


def test_labels_for_training_are_kept_once(post_labeling: PostLabeling, bucket: Bucket) -> None:
    dataset = bucket.put("dataset/dataset-1.json", DATASET)
    payload = [
        the_object("0", {"s3Uri": dataset}, *(annotation(f"w{number}", label("Good Weld")) for number in range(3))),
        the_object("1", {"content": "no S3 URI"}, annotation("w0", label("Contamination"))),
    ]
    post_labeling.answer(event(bucket, payload))
    post_labeling.answer(event(bucket, payload, stamp="2020-09-15_17:00:00"))
    post_labeling.answer(event(bucket, payload[::-1], stamp="2020-09-15_18:00:00"))
    first, second = sorted(lines(bucket), key=lambda line: line["object_id"])
    assert first == {
        "object_id": "0",
        "dataset_file": dataset,
        "sources": {"image": "s3://b/images/weld.1.png", "sensor_data": "s3://b/sensor_data/weld.1.csv"},
        "label": "Good Weld",
        "confidence": 1.0,
        "votes": {"Good Weld": 3},
        "answers": {"DefectStretch": NOT_MARKED},
        "dropped_answers": 0,
        "label_attribute": "WeldingLabelJob1",
        "labeling_job": ARN,
    }
    assert second["sources"] == {}
    assert second["label"] == "Contamination"


def marked(*regions: tuple[float, float], **more: Any) -> dict[str, Any]:
    """An answer as the page's hidden field submits it."""
    marks = [{"category": "Defect", "begin": begin, "end": end} for begin, end in regions]
    return {"DefectStretch": json.dumps({"regions": marks, "duration": 20}), **more}


def test_further_questions_stand_in_the_label_and_in_what_is_trained_on(
    post_labeling: PostLabeling, bucket: Bucket
) -> None:
    workers = [
        annotation("w1", label("Burn Through") | marked((1, 3))),
        annotation("w2", label("Burn Through") | marked((2, 4))),
        annotation("w3", label("Good Weld") | marked()),
    ]
    (entry,) = post_labeling.answer(event(bucket, [the_object("0", {}, *workers)]))
    found = entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]
    region = {"category": "Defect", "begin": 1.5, "end": 3.5, "workers": 2}
    assert found["WeldingClassification"] == "Burn Through"
    assert found["votes"] == {"Burn Through": 2, "Good Weld": 1}
    # Both overlap the median by 1.5 of 2.5 s, and the third not at all.
    assert found["DefectStretch"] == {"regions": [region | {"confidence": 0.4}], "confidence": 0.4, "answers": 3}
    (line,) = lines(bucket)
    assert line["label"] == "Burn Through"
    assert line["answers"] == {"DefectStretch": found["DefectStretch"]}


def test_a_broken_mark_leaves_the_category_alone(
    post_labeling: PostLabeling, bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    workers = [
        annotation("w1", label("Burn Through") | marked((3, 1))),
        annotation("w2", label("?") | marked((1, 3))),
        annotation("w3", label("Burn Through")),
    ]
    (entry,) = post_labeling.answer(event(bucket, [the_object("0", {}, *workers)]))
    found = entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]
    assert found["votes"] == {"Burn Through": 2}
    assert found["DefectStretch"]["answers"] == 1
    assert lines(bucket)[0]["dropped_answers"] == 2
    reasons = [vars(record)["reason"] for record in caplog.records if record.message == "A broken answer is dropped"]
    assert reasons == [
        "DefectStretch: regions[0]: found 3 to 1 s; expected to end after it begins",
        f"WeldingClassification: found '?'; expected one of {', '.join(map(repr, NAMES))}",
    ]


def test_a_worker_s_later_answer_replaces_all_of_an_earlier_one(post_labeling: PostLabeling, bucket: Bucket) -> None:
    workers = [annotation("w1", label("Burn Through") | marked((1, 3))), annotation("w1", label("Good Weld"))]
    (entry,) = post_labeling.answer(event(bucket, [the_object("0", {}, *workers)]))
    found = entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]
    assert found["WeldingClassification"] == "Good Weld"
    assert found["DefectStretch"] == {"regions": [], "confidence": 0.0, "answers": 0}


def test_a_job_without_a_category_has_a_label_of_its_questions(bucket: Bucket) -> None:
    job = load_configured({})
    job = msgspec.structs.replace(job, label=msgspec.structs.replace(job.label, categories=()))
    with ThreadPoolExecutor(4) as pool:
        post_labeling = PostLabeling(job, Storage(bucket.s3), pool)
        request = event(bucket, [the_object("0", {}, annotation("w1", marked((1, 3))))])
        (entry,) = post_labeling.answer(request)
    found = entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"]
    assert list(found) == ["DefectStretch"]
    assert [(one["begin"], one["end"]) for one in found["DefectStretch"]["regions"]] == [(1, 3)]
    (line,) = lines(bucket)
    assert (line["label"], line["confidence"], line["votes"]) == (None, None, {})


def test_a_missing_payload_is_named(post_labeling: PostLabeling, bucket: Bucket) -> None:
    request = event(bucket, [])
    request["payload"]["s3Uri"] = f"s3://{bucket.name}/none.json"
    with pytest.raises(MissingObjectError, match=r"none\.json is not there"):
        post_labeling.answer(request)


@pytest.mark.parametrize("payload", [{}, "text", b"\xff\xfe", b"[" * 200_000])
def test_a_payload_that_is_none_is_an_error(payload: Any, post_labeling: PostLabeling, bucket: Bucket) -> None:
    with pytest.raises(EventError, match="is no payload of a post-labeling event"):
        post_labeling.answer(event(bucket, payload))


HOSTILE_ANSWERS = {
    "half an emoji": '{"WeldingClassification": {"label": "\\ud83d"}}',
    "half an emoji as a name": '{"\\ud83d": 1}',
    "deep": '{"WeldingClassification": ' + "[" * 970 + "]" * 970 + "}",
    "deep list": "[" * 970 + "]" * 970,
    "deeper": '{"a":' * 100_000,
    "digits": '{"WeldingClassification": {"label": ' + "9" * 5_000 + "}}",
    "label of another kind": '{"WeldingClassification": {"label": {"a": [1]}}}',
    "many names": json.dumps({str(number) * 20: 1 for number in range(2_000)}),
}


@pytest.mark.parametrize("name", HOSTILE_ANSWERS)
def test_a_hostile_answer_is_dropped_and_the_batch_goes_on(
    post_labeling: PostLabeling, bucket: Bucket, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = annotation("w1", label("Burn Through"))
    hostile = annotation("w2", HOSTILE_ANSWERS[name])
    odd = {"workerId": "\ud83d", "annotationData": {"content": "\ud83d"}}
    objects = [the_object("0", {"content": "s3://b/\ud83d"}, good, hostile, odd), the_object("1", {}, good)]
    answer = post_labeling.answer(event(bucket, objects))
    labels = [entry["consolidatedAnnotation"]["content"]["WeldingLabelJob1"] for entry in answer]
    assert [found["votes"] for found in labels] == [{"Burn Through": 1}] * 2
    json.dumps(answer, ensure_ascii=False).encode()
    dropped = [vars(record) for record in caplog.records if record.message == "A broken answer is dropped"]
    assert [record["worker"] for record in dropped] == ["w2", "'\\ud83d'"]
    for record in dropped:
        assert len(record["reason"].encode()) < 3_000
    assert [line["dropped_answers"] for line in lines(bucket)] == [2, 0]

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ground_truth_server.engine.engine import Engine
from ground_truth_server.engine.labeling_job import LabelingJobNotFound, LabelingJobRefused
from ground_truth_server.s3.storage import EmbeddedS3
from tests.ground_truth_server.engine.labeling import (
    BUCKET,
    POST,
    PRE,
    Bench,
    Clock,
    answer_all,
    label_all,
    pass_on,
    request,
    wait_for_end,
    wait_until,
)

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"


def counters(engine: Engine, name: str = "Welds1") -> tuple[int, int, int]:
    """Labeled, failed and unlabeled objects."""
    found = engine.describe(name)["LabelCounters"]
    assert found["HumanLabeled"] == found["TotalLabeled"]
    assert found["MachineLabeled"] == 0
    return found["TotalLabeled"], found["FailedNonRetryableError"], found["Unlabeled"]


def in_state(engine: Engine, state: str, name: str = "Welds1") -> int:
    return engine.ledger.progress(name).get(state, 0)


class TestLabels:
    def test_a_job_goes_from_manifest_to_labels(self, bench: Bench) -> None:
        with bench.engine() as engine:
            assert engine.create(request(NumberOfHumanWorkersPerDataObject=2)) == ARN
            found = label_all(engine, ["ann", "bo"])
            assert counters(engine) == (3, 0, 0)

        assert found["LabelingJobStatus"] == "Completed"
        manifest = f"s3://{BUCKET}/output/Welds1/manifests/output/output.manifest"
        assert found["LabelingJobOutput"]["OutputDatasetS3Uri"] == manifest
        assert bench.output()[2] == {
            "source": f"s3://{BUCKET}/dataset/2.json",
            "Weld": {"class": "Good Weld"},
            "Weld-metadata": {
                "votes": 2,
                "job-name": "labeling-job/Welds1",
                "type": "groundtruth/custom",
                "human-annotated": "yes",
                "creation-date": "2020-09-15T16:00:00.000000",
            },
        }

    def test_the_files_lie_where_ground_truth_puts_them(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            label_all(engine, ["ann"])

        assert bench.output_keys() == [
            f"output/Welds1/{path}"
            for path in (
                "annotations/consolidated-annotation/consolidation-request/iteration-1/2020-09-15_16:00:00.json",
                "annotations/consolidated-annotation/consolidation-response/iteration-1/2020-09-15_16:00:00.json",
                "annotations/intermediate/1/annotations.manifest",
                "annotations/worker-response/iteration-1/0/2020-09-15_16:00:00.json",
                "annotations/worker-response/iteration-1/1/2020-09-15_16:00:00.json",
                "annotations/worker-response/iteration-1/2/2020-09-15_16:00:00.json",
                "manifests/intermediate/1/output.manifest",
                "manifests/output/output.manifest",
            )
        ]

    def test_a_worker_response_tells_who_answered_what_and_when(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            wait_until(lambda: in_state(engine, "open") == 3)
            task = engine.desk.next_task("ann", "Welds1")
            assert task is not None
            bench.clock.pass_seconds(43.13)
            engine.desk.submit(task.id, "ann", {"class": {"label": "Not sure"}})
            label_all(engine, ["ann"])

        path = "output/Welds1/annotations/worker-response/iteration-1/0/2020-09-15_16:00:43.json"
        (answer,) = bench.json(path)["answers"]
        assert answer.pop("workerId").startswith("private.eu-west-1.")
        identity = answer.pop("workerMetadata")["identityData"]
        assert set(identity) == {"identityProviderType", "issuer", "sub"}
        assert answer == {
            "acceptanceTime": "2020-09-15T16:00:00.000Z",
            "submissionTime": "2020-09-15T16:00:43.130Z",
            "timeSpentInSeconds": 43.13,
            "answerContent": {"class": {"label": "Not sure"}},
        }

    def test_the_functions_are_called_as_by_ground_truth(self, bench: Bench) -> None:
        bench.put_manifest([{"source": "s3://b/1.json", "other": 1}, {"source-ref": "s3://b/2.json"}])
        bench.put("categories.json", '{"document-version": "2018-11-28", "labels": [{"label": "Good Weld"}]}')
        asked = request(NumberOfHumanWorkersPerDataObject=2)
        asked["LabelCategoryConfigS3Uri"] = f"s3://{BUCKET}/categories.json"
        asked["OutputConfig"]["KmsKeyId"] = "a-key"
        with bench.engine() as engine:
            engine.create(asked)
            label_all(engine, ["ann", "bo"])

        events = sorted(bench.functions.events_of(PRE), key=str)
        assert events[0] == {
            "version": "2018-10-16",
            "labelingJobArn": ARN,
            "dataObject": {"source": "s3://b/1.json", "other": 1},
        }
        folder = f"s3://{BUCKET}/output/Welds1/annotations"
        file = "consolidated-annotation/consolidation-request/iteration-1/2020-09-15_16:00:00.json"
        assert bench.functions.events_of(POST) == [
            {
                "version": "2018-10-16",
                "labelingJobArn": ARN,
                "labelCategories": ["Good Weld"],
                "labelAttributeName": "Weld",
                "roleArn": "arn:aws:iam::111122223333:role/GroundTruth",
                "outputConfig": folder,
                "maxHumanWorkersPerDataObject": 2,
                "kmsKeyId": "a-key",
                "payload": {"s3Uri": f"{folder}/{file}"},
            }
        ]
        payload = bench.json(f"output/Welds1/annotations/{file}")
        assert [entry["dataObject"] for entry in payload] == [
            {"content": "s3://b/1.json"},
            {"s3Uri": "s3://b/2.json"},
        ]
        assert [len(entry["annotations"]) for entry in payload] == [2, 2]
        assert payload[0]["annotations"][0]["annotationData"] == {"content": '{"class":{"label":"Good Weld"}}'}

    def test_a_job_needs_no_functions(self, bench: Bench) -> None:
        without = request(PreHumanTaskLambdaArn=None, AnnotationConsolidationConfig=None)
        with bench.engine() as engine:
            engine.create(without)
            wait_until(lambda: in_state(engine, "open") == 3)
            task = engine.desk.next_task("ann", "Welds1")
            assert task is not None
            assert task.task_input == {"source": f"s3://{BUCKET}/dataset/0.json"}
            label_all(engine, ["ann"])

        (answer,) = bench.output()[0]["Weld"]["annotationsFromAllWorkers"]
        assert answer["annotationData"] == {"content": '{"class":{"label":"Good Weld"}}'}

    def test_other_keys_and_earlier_labels_are_carried_through(self, bench: Bench) -> None:
        chained = {
            "source": "a",
            "Other": {"class": "x"},
            "Other-metadata": {"confidence": 0.4},
            "Weld": "an earlier label",
            "note": "é \ud83d",
        }
        bench.put_manifest([chained])
        with bench.engine() as engine:
            engine.create(request())
            label_all(engine, ["ann"])

        (line,) = bench.output()
        line.pop("Weld-metadata")
        assert line == {**chained, "Weld": {"class": "Good Weld"}}

    @pytest.mark.parametrize("no", ["false", False])
    def test_an_object_that_needs_no_person_is_carried_unchanged(self, bench: Bench, no: object) -> None:
        def pre(event: Mapping[str, Any]) -> Any:
            needed = not event["dataObject"]["source"].endswith("1.json") or no
            return {"taskInput": {}, "isHumanAnnotationRequired": needed}

        bench.functions.functions[PRE] = pre
        with bench.engine() as engine:
            engine.create(request())
            assert label_all(engine, ["ann"])["LabelingJobStatus"] == "Completed"
            assert counters(engine) == (2, 0, 1)
            assert in_state(engine, "not required") == 1

        assert bench.output()[1] == {"source": f"s3://{BUCKET}/dataset/1.json"}


class TestManifests:
    def test_a_bad_line_is_named_counted_and_not_fatal(self, bench: Bench) -> None:
        bench.put_manifest([{"source": "a"}, "nonsense", {"sauce": "c"}])
        with bench.engine() as engine:
            engine.create(request())
            assert label_all(engine, ["ann"])["LabelingJobStatus"] == "Completed"
            assert counters(engine) == (1, 2, 0)
            told = [event.message for event in engine.ledger.events("Welds1") if event.kind == "failed"]

        assert told[0].startswith(f"Line 2 of s3://{BUCKET}/input.manifest: not JSON: ")
        labeled, not_json, no_source = bench.output()
        assert labeled["Weld"] == {"class": "Good Weld"}
        assert set(not_json) == {"Weld-metadata"}
        assert not_json["Weld-metadata"]["failure-reason"] == told[0]
        assert no_source["sauce"] == "c"
        assert no_source["Weld-metadata"]["failure-reason"] == told[1]

    @pytest.mark.parametrize(
        ("text", "problem"), [("", "it has no lines"), ("x\ny\n", "Line 1 of s3://welds/input.manifest: not JSON")]
    )
    def test_a_manifest_without_a_good_line_fails_the_job(self, bench: Bench, text: str, problem: str) -> None:
        bench.put("input.manifest", text)
        with bench.engine() as engine:
            engine.create(request())
            found = wait_for_end(engine, "Welds1", 10)

        assert found["LabelingJobStatus"] == "Failed"
        assert problem in found["FailureReason"]

    def test_lines_that_bring_their_label_along_are_kept_byte_for_byte(self, bench: Bench) -> None:
        long = "x" * 25_000  # an input's attribute may not be so long, a label may
        labeled = (
            f'{{"source":"s3://{BUCKET}/dataset/0.json",  "Weld": {{"share": 0.00, "mask": "{long}"}},'
            ' "Weld-metadata": {"confidence": 1.0e0, "job-name": "labeling-job/former", "human-annotated": "yes"}}'
        )
        failed = {"source": "b", "Weld": 1, "Weld-metadata": {"failure-reason": "nobody"}}
        bench.put_manifest([labeled, {"source": "a"}, failed, {"source": "c", "Weld": "not from a job"}, labeled])
        with bench.engine() as engine:
            engine.create(request(MaxConcurrentTaskCount=2))
            done = label_all(engine, ["ann"])
            asked = [event["dataObject"]["source"] for event in bench.functions.events_of(PRE)]
            assert sorted(asked) == ["a", "b", "c"]
            assert engine.ledger.data_object("Welds1", "0").data_object.label is not None, "the console shows it"
        assert done["LabelCounters"] == {
            "TotalLabeled": 5,
            "HumanLabeled": 5,
            "MachineLabeled": 0,
            "FailedNonRetryableError": 0,
            "Unlabeled": 0,
        }
        lines = bench.text("output/Welds1/manifests/output/output.manifest").splitlines()
        assert [lines[0], lines[4]] == [labeled, labeled]
        for line in map(json.loads, lines[1:4]):
            assert line["Weld"] == {"class": "Good Weld"}
            assert line["Weld-metadata"]["job-name"] == "labeling-job/Welds1"
            assert "failure-reason" not in line["Weld-metadata"]

    def test_a_manifest_whose_lines_are_all_labeled_completes_at_once(self, bench: Bench) -> None:
        line = {"source": "a", "Weld": 1, "Weld-metadata": {"human-annotated": "yes"}}
        bench.put_manifest([line, line])
        with bench.engine() as engine:
            engine.create(request())
            assert wait_for_end(engine)["LabelingJobStatus"] == "Completed"
        assert bench.output() == [line, line]

    def test_stopping_conditions_count_labels_that_are_brought_along(self, bench: Bench) -> None:
        line = {"source": "a", "Weld": 1, "Weld-metadata": {"human-annotated": "yes"}}
        bench.put_manifest([line, *({"source": str(number)} for number in range(3))])
        with bench.engine() as engine:
            engine.create({**request(), "StoppingConditions": {"MaxHumanLabeledObjectCount": 2}})
            assert label_all(engine, ["ann"])["LabelCounters"]["TotalLabeled"] == 2

    def test_intermediate_manifests_hold_unlabeled_lines_unchanged(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request(MaxConcurrentTaskCount=1))
            label_all(engine, ["ann"])

        text = bench.text("output/Welds1/manifests/intermediate/1/output.manifest")
        first, *others = text.splitlines()
        assert '"Weld":{"class":"Good Weld"}' in first
        assert others == [f'{{"source": "s3://{BUCKET}/dataset/{i}.json"}}' for i in (1, 2)], "byte for byte"
        assert bench.text("output/Welds1/annotations/intermediate/1/annotations.manifest") == text


class TestWaves:
    def test_no_more_objects_go_out_than_allowed_at_once(self, bench: Bench) -> None:
        bench.put_manifest({"source": str(i)} for i in range(5))
        with bench.engine() as engine:
            engine.create(request(MaxConcurrentTaskCount=2))
            for wave, size in enumerate((2, 2, 1), 1):
                wait_until(lambda: in_state(engine, "waiting") == 5 - min(5, 2 * wave))  # noqa: B023
                wait_until(lambda: not in_state(engine, "preparing"))
                assert in_state(engine, "open") == size
                assert answer_all(engine, "ann") == size
            assert wait_for_end(engine, "Welds1", 10)["LabelingJobStatus"] == "Completed"

        requests = [key for key in bench.output_keys() if "consolidation-request" in key]
        assert [key.split("/")[-2] for key in requests] == ["iteration-1", "iteration-2", "iteration-3"]

    @pytest.mark.parametrize(
        ("conditions", "labeled"),
        [
            ({"MaxHumanLabeledObjectCount": 2}, 2),
            ({"MaxPercentageOfInputDatasetLabeled": 50}, 3),
            ({"MaxHumanLabeledObjectCount": 9}, 5),
        ],
    )
    def test_a_job_stops_when_enough_is_labeled(self, bench: Bench, conditions: dict[str, int], labeled: int) -> None:
        bench.put_manifest({"source": str(i)} for i in range(5))
        with bench.engine() as engine:
            engine.create({**request(), "StoppingConditions": conditions})
            found = label_all(engine, ["ann"])
            assert counters(engine) == (labeled, 0, 5 - labeled)

        assert found["LabelingJobStatus"] == ("Completed" if labeled == 5 else "Stopped")
        assert [("Weld" in line) for line in bench.output()] == [i < labeled for i in range(5)]


class TestAvailability:
    def test_objects_go_on_with_the_answers_they_have(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request(NumberOfHumanWorkersPerDataObject=2, TaskAvailabilityLifetimeInSeconds=3600))
            wait_until(lambda: in_state(engine, "open") == 3)
            for _ in range(2):
                task = engine.desk.next_task("ann", "Welds1")
                assert task is not None
                engine.desk.submit(task.id, "ann", {"class": {"label": "Contamination"}})
            bench.clock.pass_seconds(3600)
            found = wait_for_end(engine, "Welds1", 10)
            assert counters(engine) == (2, 1, 0)

        assert found["LabelingJobStatus"] == "Completed"
        one, _, nobody = bench.output()
        assert one["Weld-metadata"]["votes"] == 1
        assert "Weld" not in nobody
        reason = "No worker submitted an answer before the data object's availability ran out (3600 s)"
        assert nobody["Weld-metadata"]["failure-reason"] == reason
        assert len(bench.json(_request_key(bench))) == 2

    def test_a_job_that_nobody_answered_calls_no_consolidation(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request(TaskAvailabilityLifetimeInSeconds=60))
            wait_until(lambda: in_state(engine, "open") == 3)
            bench.clock.pass_seconds(61)
            assert wait_for_end(engine, "Welds1", 10)["LabelingJobStatus"] == "Completed"
            assert counters(engine) == (0, 3, 0)

        assert bench.functions.events_of(POST) == []
        assert len(bench.output()) == 3


class TestStopping:
    def test_what_is_answered_becomes_labels(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            wait_until(lambda: in_state(engine, "open") == 3)
            task = engine.desk.next_task("ann", "Welds1")
            assert task is not None
            engine.desk.submit(task.id, "ann", {"class": {"label": "Burn Through"}})
            engine.stop("welds1")
            found = wait_for_end(engine, "Welds1", 10)
            assert counters(engine) == (1, 0, 2)
            assert engine.desk.next_task("bo", "Welds1") is None
            with pytest.raises(LabelingJobRefused, match="Welds1 is Stopped; only a job in progress"):
                engine.stop("Welds1")

        assert found["LabelingJobStatus"] == "Stopped"
        assert bench.output()[0]["Weld"] == {"class": "Burn Through"}
        assert bench.output()[1] == {"source": f"s3://{BUCKET}/dataset/1.json"}
        statuses = [event["detail"]["LabelingJobStatus"] for event in bench.state_changes]
        assert statuses == ["Initializing", "InProgress", "Stopping", "Stopped"]

    def test_a_job_can_be_stopped_while_its_manifest_is_read(self, bench: Bench) -> None:
        bench.put_manifest({"source": str(i)} for i in range(3000))
        with bench.engine() as engine:
            engine.create(request())
            engine.stop("Welds1")
            assert wait_for_end(engine, "Welds1", 10)["LabelingJobStatus"] == "Stopped"
        assert bench.output() == [{"source": str(i)} for i in range(3000)]


class TestFailures:
    def test_a_pre_annotation_exception_fails_the_job(self, bench: Bench) -> None:
        def pre(event: Mapping[str, Any]) -> Any:
            if event["dataObject"]["source"].endswith("1.json"):
                raise KeyError("sensor_data")
            return pass_on(event)

        bench.functions.functions[PRE] = pre
        with bench.engine() as engine:
            engine.create(request())
            found = wait_for_end(engine, "Welds1", 10)
            (failure,) = [event for event in engine.ledger.events("Welds1") if event.kind == "function failed"]

        assert found["LabelingJobStatus"] == "Failed"
        assert found["FailureReason"] == (
            f"ClientError: Exception invoking the Lambda function {PRE}. LambdaErrorCode: Unhandled. Ensure the "
            "Lambda function exists, that the role arn:aws:iam::111122223333:role/GroundTruth has permissions to "
            "invoke it and try your request again."
        )
        assert failure.detail is not None
        assert failure.detail["errorType"] == "KeyError"
        assert failure.detail["trace"] == "line 1"
        assert failure.detail["event"]["dataObject"] == {"source": f"s3://{BUCKET}/dataset/1.json"}

    @pytest.mark.parametrize(
        ("function", "role", "found"),
        [
            (PRE, "PreHumanTaskLambda", "found no 'taskInput'"),
            (POST, "AnnotationConsolidationLambda", "expected a JSON array"),
        ],
    )
    def test_an_answer_of_the_wrong_shape_fails_the_job(
        self, bench: Bench, function: str, role: str, found: str
    ) -> None:
        bench.functions.functions[function] = lambda _: {"statusCode": 200}
        with bench.engine() as engine:
            engine.create(request())
            reason = label_all(engine, ["ann"])["FailureReason"]

        assert reason.startswith(f"ClientError: The JSON output from the {role} function could not be read.")
        assert found in reason

    def test_answers_are_kept_when_a_job_fails(self, bench: Bench) -> None:
        bench.functions.functions[POST] = lambda _: 1 // 0
        with bench.engine() as engine:
            engine.create(request(NumberOfHumanWorkersPerDataObject=1))
            assert label_all(engine, ["ann"])["LabelingJobStatus"] == "Failed"
            assert engine.desk.open_jobs("ann") == []

        assert len([key for key in bench.output_keys() if "worker-response" in key]) == 3

    def test_an_output_bucket_that_goes_away_fails_the_job(self, bench: Bench) -> None:
        bench.s3.create_bucket(Bucket="labels", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        asked = request()
        asked["OutputConfig"]["S3OutputPath"] = "s3://labels/output"
        with bench.engine() as engine:
            engine.create(asked)
            bench.s3.delete_bucket(Bucket="labels")
            assert "NoSuchBucket" in label_all(engine, ["ann"])["FailureReason"]

    def test_a_manifest_with_a_byte_order_mark_is_read(self, bench: Bench) -> None:
        bench.put("input.manifest", "\ufeff" + '{"source": "s3://welds/a.json"}\n{"source": "s3://welds/b.json"}\n')
        with bench.engine() as engine:
            engine.create(request())
            label_all(engine, ["ann"])
            assert engine.describe("Welds1")["LabelingJobStatus"] == "Completed"
        assert [line["source"] for line in bench.output()] == ["s3://welds/a.json", "s3://welds/b.json"]

    def test_a_job_waits_while_s3_is_out_of_reach(self, bench: Bench, s3_server: EmbeddedS3, tmp_path: Path) -> None:
        with bench.engine() as engine:
            engine.create(request())
            wait_until(lambda: in_state(engine, "open") == 3)
            s3_server.close()
            assert answer_all(engine, "ann") == 3
            wait_until(lambda: any(event.kind == "waiting" for event in engine.ledger.events("Welds1")))
            assert engine.describe("Welds1")["LabelingJobStatus"] == "InProgress"
            with EmbeddedS3(tmp_path / "s3", int(s3_server.endpoint_url.rpartition(":")[2])):
                assert wait_for_end(engine, "Welds1", 20)["LabelingJobStatus"] == "Completed"
                assert len(bench.output()) == 3


class TestCreate:
    def test_a_name_is_used_once_whatever_its_case(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            with pytest.raises(LabelingJobRefused, match="exists already") as caught:
                engine.create(request("WELDS1"))
        assert caught.value.code == "ResourceInUse"

    @pytest.mark.parametrize(
        ("change", "message"),
        [
            ({"LabelAttributeName": "Weld-ref"}, "expected a name that does not end in -ref"),
            ({"LabelAttributeName": "Weld-metadata"}, "expected a name that does not end in -metadata"),
            (
                {"InputConfig": {"DataSource": {"S3DataSource": {"ManifestS3Uri": f"s3://{BUCKET}/no"}}}},
                f"ManifestS3Uri: s3://{BUCKET}/no can't be read: 404",
            ),
            ({"InputConfig": {"DataSource": {"SnsDataSource": {}}}}, "found no S3DataSource"),
            (
                {"OutputConfig": {"S3OutputPath": "s3://nowhere/output"}},
                "S3OutputPath: s3://nowhere/output/Welds1/.* can't be written: NoSuchBucket",
            ),
            ({"LabelCategoryConfigS3Uri": f"s3://{BUCKET}/input.manifest"}, 'expected {"document-version"'),
        ],
    )
    def test_what_cannot_run_is_refused(self, bench: Bench, change: dict[str, Any], message: str) -> None:
        with bench.engine() as engine, pytest.raises(LabelingJobRefused, match=message) as caught:
            engine.create({**request(), **change})
        assert caught.value.code == "ValidationException"

    def test_a_template_that_is_not_there_is_refused(self, bench: Bench) -> None:
        page = {"UiTemplateS3Uri": f"s3://{BUCKET}/no.html"}
        with bench.engine() as engine:
            with pytest.raises(LabelingJobRefused, match=r"UiTemplateS3Uri: .*/no\.html can't be read: NoSuchKey"):
                engine.create(request(UiConfig=page))
            assert engine.list() == []
            with pytest.raises(LabelingJobNotFound, match="no labeling job named Welds1"):
                engine.describe("Welds1")

    def test_a_workspace_has_one_engine(self, bench: Bench) -> None:
        with bench.engine(), pytest.raises(RuntimeError, match="another local Ground Truth works in"):
            Engine(bench.folder, bench.s3, bench.functions)


class TestRestart:
    def test_a_job_goes_on_where_it_was_left(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request(NumberOfHumanWorkersPerDataObject=2))
            wait_until(lambda: in_state(engine, "open") == 3)
            answer_all(engine, "ann")
            in_hand = engine.desk.next_task("bo", "Welds1")
            assert in_hand is not None

        with bench.engine() as engine:
            engine.resume()
            assert engine.desk.next_task("ann", "Welds1") is None
            assert engine.desk.next_task("bo", "Welds1") == in_hand
            engine.desk.submit(in_hand.id, "bo", {"class": {"label": "Good Weld"}})
            assert label_all(engine, ["bo"])["LabelingJobStatus"] == "Completed"
            assert engine.ledger.workers("Welds1") == [
                {"worker": "ann", "submitted": 3},
                {"worker": "bo", "submitted": 3},
            ]
        assert len(bench.functions.events_of(PRE)) == 3

    def test_jobs_of_before_are_there(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            label_all(engine, ["ann"])
        with bench.engine() as engine:
            engine.resume()
            (found,) = engine.list()
        assert found["LabelingJobStatus"] == "Completed"
        assert found["CreationTime"] == Clock()()


class TestConsole:
    def test_an_object_shows_all_that_happened_to_it(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request(NumberOfHumanWorkersPerDataObject=2))
            label_all(engine, ["ann", "bo"])
            seen = engine.ledger.data_object("Welds1", "1")
            states = [found.state for found in engine.ledger.data_objects("Welds1", start=1)]
            with pytest.raises(LookupError, match="no data object 7"):
                engine.ledger.data_object("Welds1", "7")

        assert seen.data_object.data_object == {"source": f"s3://{BUCKET}/dataset/1.json"}
        assert seen.data_object.task_input == seen.data_object.data_object
        assert seen.data_object.label is not None
        assert seen.data_object.label["Weld"] == {"class": "Good Weld"}
        assert {answer.worker for answer in seen.answers} == {"ann", "bo"}
        assert [task.state for task in seen.tasks] == ["submitted", "submitted"]
        assert states == ["labeled", "labeled"]

    def test_the_log_is_followed_from_where_one_was(self, bench: Bench) -> None:
        with bench.engine() as engine:
            engine.create(request())
            wait_until(lambda: engine.ledger.events("Welds1"))
            first = engine.ledger.events("Welds1")
            assert first[0].message == f"Initializing: s3://{BUCKET}/input.manifest"
            label_all(engine, ["ann"])
            rest = engine.ledger.events("Welds1", after=first[-1].sequence)
            assert engine.ledger.events("Welds1", after=rest[-1].sequence) == []

        sequences = [event.sequence for event in [*first, *rest]]
        assert sequences == sorted(set(sequences))
        assert rest[-1].message.startswith("Completed: The labels are in s3://")
        assert "ann answered object 0 in 0 s" in [event.message for event in rest]


def _request_key(bench: Bench) -> str:
    (key,) = [key for key in bench.output_keys() if "consolidation-request" in key]
    return key


def test_the_engine_keeps_its_files_in_the_workspace(s3: "S3Client", tmp_path: Path) -> None:
    with Bench(tmp_path / "workspace", s3).engine():
        assert (tmp_path / "workspace" / "ground-truth.sqlite").is_file()

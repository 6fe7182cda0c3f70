from tests.local_ground_truth.labeling import BUCKET, Bench, label_all, request


def test_a_job_goes_from_manifest_to_labels(bench: Bench) -> None:
    with bench.engine() as engine:
        arn = engine.create(request(NumberOfHumanWorkersPerDataObject=2))
        found = label_all(engine, ["ann", "bo"])

    assert arn == "arn:aws:sagemaker:eu-west-1:111122223333:labeling-job/welds1"
    assert found["LabelingJobStatus"] == "Completed"
    assert found["LabelCounters"] == {
        "TotalLabeled": 3,
        "HumanLabeled": 3,
        "MachineLabeled": 0,
        "FailedNonRetryableError": 0,
        "Unlabeled": 0,
    }
    assert found["LabelingJobOutput"]["OutputDatasetS3Uri"] == (
        f"s3://{BUCKET}/output/Welds1/manifests/output/output.manifest"
    )
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

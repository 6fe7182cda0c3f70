"""The request that starts a labeling job is one that SageMaker's own model accepts."""

import boto3
from botocore.validate import ParamValidator
from labeling.job import load_configured
from labeling.job_request import JobResources, create_labeling_job

ACCOUNT = JobResources(
    bucket="welds",
    role_arn="arn:aws:iam::111122223333:role/GroundTruth",
    workteam_arn="arn:aws:sagemaker:eu-west-1:111122223333:workteam/private-crowd/welders",
    pre_labeling_arn="arn:aws:lambda:eu-west-1:111122223333:function:PreLabelingFunction",
    post_labeling_arn="arn:aws:lambda:eu-west-1:111122223333:function:PostLabelingFunction",
)


def test_the_request_fits_sagemaker_s_model() -> None:
    model = boto3.client("sagemaker").meta.service_model.operation_model("CreateLabelingJob").input_shape
    assert model
    request = create_labeling_job(load_configured({}), "WeldingLabelJob-1", ACCOUNT)
    assert ParamValidator().validate(request, model).generate_report() == ""
    assert set(request) <= set(model.members)


def test_what_the_configuration_says_is_in_the_request() -> None:
    request = create_labeling_job(load_configured({}), "WeldingLabelJob-1", ACCOUNT)
    assert request["LabelAttributeName"] == "WeldingLabel"
    assert request["HumanTaskConfig"]["NumberOfHumanWorkersPerDataObject"] == 3
    assert request["OutputConfig"]["S3OutputPath"] == "s3://welds/output"
    assert (
        request["InputConfig"]["DataSource"]["S3DataSource"]["ManifestS3Uri"] == "s3://welds/manifests/input.manifest"
    )

"""The pre-labeling function as one would write it at first: pandas and pyplot, one thing after another.

It does what ours does to make an item's task input, and makes pictures of the same size of the same channels.
"""

import io
import json
from typing import Any

import boto3
import matplotlib as mpl
import pandas as pd
from labeling.sources import TimeSeriesSource

mpl.use("Agg")

from matplotlib import pyplot as plt

s3 = boto3.client("s3")


def handler(event: dict[str, Any], source: TimeSeriesSource) -> dict[str, Any]:
    """Answer a pre-labeling event for items of a photograph and one recording without a header."""
    bucket, key = _split(event["dataObject"]["source"])
    files = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    image = files["image"]["s3Path"]
    recording = files["sensor_data"]["s3Path"]
    bucket, key = _split(recording)
    data = pd.read_csv(io.BytesIO(s3.get_object(Bucket=bucket, Key=key)["Body"].read()), header=None)
    task_input = {"image": {"file": image, "title": f" from image at {image}"}}
    seconds = (data[source.time.column] - data[source.time.column][0]) / 1000
    for channel in source.channels:
        plt.figure(figsize=(10, 3.4), dpi=200)
        plt.plot(seconds, data[channel.column])
        plt.title(channel.title)
        plt.xlabel("Time (s)")
        plt.ylabel(f"{channel.title} ({channel.unit})")
        plt.grid(visible=True)
        picture = io.BytesIO()
        plt.savefig(picture, format="png")
        plt.close()
        plot = f"plots/{key.rpartition('/')[2]}-{channel.suffix}.png"
        s3.put_object(Bucket=bucket, Key=plot, Body=picture.getvalue(), ContentType="image/png")
        task_input[channel.key] = {"file": f"s3://{bucket}/{plot}", "title": f" from file at {plot}"}
    return {"taskInput": task_input, "isHumanAnnotationRequired": "true"}


def _split(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key

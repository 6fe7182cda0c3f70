"""What the worker page's template needs to know of the job, as Liquid that is put before it.

The task input holds an item's panels only, so the template learns the label, its categories and the order of the
panels from a preamble of `assign` tags. It is written in standard Liquid, so Ground Truth runs it as it is.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Protocol

from labeling.job import JobConfiguration

# Between the items of a list: U+001F, the unit separator, which no text has and which is written %1F.
_SEPARATOR = "\x1f"
# What a quoted string in a tag can't hold, and what url_decode would read otherwise.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\"'%+\\{|}]")


class DescribedCategory(Protocol):
    """One answer that a worker can choose, in words."""

    @property
    def name(self) -> str:
        """The answer itself."""

    @property
    def description(self) -> str:
        """What it is, in a line; may be empty."""

    @property
    def look_for(self) -> str:
        """What to look for; may be empty."""


def page(job: JobConfiguration, template: str) -> str:
    """The worker page of a job: its template, with what it needs to know of the job before it.

    Args:
        job: The labeling job.
        template: ``worker-task.liquid.html``, or another that reads the same variables, or none of them.
    """
    return (
        preamble(
            label_name=job.label.name,
            header=job.title,
            categories=job.label.categories,
            images={key: source.title for key, source in job.images.items()},
            plots={channel.key: channel.title for channel in job.channels},
        )
        + template
    )


def preamble(
    *,
    label_name: str,
    header: str,
    categories: Sequence[DescribedCategory],
    images: Mapping[str, str],
    plots: Mapping[str, str],
) -> str:
    """Liquid that tells `worker-task.liquid.html` what the job is; put it before the template.

    It assigns the texts `label_name` and `header` and, as lists, `category_names`, `category_descriptions` and
    `category_signs`, `image_keys` and `image_titles`, `plot_keys` and `plot_titles`. Any text is safe in it.

    Args:
        label_name: The answer's name in the form: `{label_name: {"label": category}}`.
        header: The question that the worker answers.
        categories: The answers, in the order in which they are shown.
        images: The titles of the image panels by their keys in the task input, in the order in which they are shown.
        plots: The titles of the plots by their keys, in the same way.
    """
    lists = {
        "category_names": [category.name for category in categories],
        "category_descriptions": [category.description for category in categories],
        "category_signs": [category.look_for for category in categories],
        "image_keys": list(images),
        "image_titles": list(images.values()),
        "plot_keys": list(plots),
        "plot_titles": list(plots.values()),
    }
    lines = [
        "{% comment %} Written from the job configuration: percent-encoded, %1F between items. {% endcomment %}",
        f'{{% assign separator = "{_encoded(_SEPARATOR)}" | url_decode %}}',
        f'{{% assign label_name = "{_encoded(label_name)}" | url_decode %}}',
        f'{{% assign header = "{_encoded(header)}" | url_decode %}}',
        *(f'{{% assign {name} = "{_list(items)}" | url_decode | split: separator %}}' for name, items in lists.items()),
    ]
    return "\n".join(lines) + "\n"


def _list(items: Sequence[str]) -> str:
    return _encoded(_SEPARATOR.join(item.replace(_SEPARATOR, " ") for item in items))


def _encoded(text: str) -> str:
    """Text for a quoted string in a tag, percent-encoded only where it must be, so that people can read it."""
    return _UNSAFE.sub(lambda match: f"%{ord(match.group()):02X}", text)

"""Templates in processes of their own: the same pages, within limits that are named."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from ground_truth_server.pages.ground_truth_liquid import render_template
from ground_truth_server.pages.render_process import RenderProcesses
from ground_truth_server.pages.worker_page import render


@pytest.fixture(scope="module")
def rendering() -> Iterator[RenderProcesses]:
    with RenderProcesses(seconds=3, megabytes=512) as rendering:
        yield rendering


def presign(uri: str) -> str:
    if "bad" in uri:
        raise ValueError("no such bucket")
    return f"https://signed/{uri}"


def test_it_renders_as_in_this_process(rendering: RenderProcesses) -> None:
    template = (
        "{{ task.input.text }} {{ 's3://b/k' | grant_read_access }} {{ 's3://bad/k' | grant_read_access }}\n"
        "{{ task.input.gone }} {% for x in task.input.list %}{{ x }},{% endfor %}{{ task.input.list }}{% endif %}"
    )
    task_input = {"text": "<ü> 😀", "list": [1, {"a": "b"}]}
    assert rendering(template, task_input, presign) == render_template(template, task_input, presign)


DOUBLED = "{% assign a='xxxxxxxxxx' %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}"
HOSTILE = {
    "doubles a text": (DOUBLED, "local namespace limit"),
    "loops": ("{% for i in (1..9999) %}{% for j in (1..9999) %}{% endfor %}{% endfor %}", "loop iteration limit"),
    "grows without a name": (
        "{{ '" + "x" * 1_000_000 + "' | split: '' | join: '" + "y" * 1_000 + "' }}",
        "512 MB of memory",
    ),
    "is nested": ("{% if true %}" * 3_000 + "{% endif %}" * 3_000, "nested too deep"),
    "writes much": ("{% for i in (1..99999) %}" + "x" * 1_000 + "{% endfor %}", "more than 20,000,000 characters"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_meets_a_limit_that_is_named(rendering: RenderProcesses, name: str) -> None:
    template, limit = HOSTILE[name]
    page = render(template, {}, presign, rendering=rendering)
    assert [limit in str(error) for error in page.errors] == [True]
    assert limit in page.html  # the worker is told as well
    assert rendering("{{ task.input.a }}", {"a": 1}, presign).text == "1"


def test_a_template_that_takes_long_is_ended(rendering: RenderProcesses) -> None:
    slow = (
        "{% for i in (1..900000) %}{% assign a = '" + "x, " * 500 + "' | split: ', ' | sort | join: '-' %}{% endfor %}"
    )
    began = time.monotonic()
    page = rendering(slow, {}, presign)
    assert "took more than 3 s to render" in str(page.errors[0])
    assert time.monotonic() - began < 60


def test_several_pages_at_once_and_a_killed_process_lose_nothing(rendering: RenderProcesses) -> None:
    with ThreadPoolExecutor(8) as pool:
        pages = pool.map(lambda number: rendering("{{ task.input.n }}", {"n": number}, presign).text, range(50))
        assert list(pages) == [str(number) for number in range(50)]
    for child in psutil.Process().children():
        if "ground_truth_server.pages.render_process" in child.cmdline():
            child.kill()
            child.wait(10)
    assert rendering("{{ task.input.a }}", {"a": 1}, presign).text == "1"


KILLED = """
from ground_truth_server.pages.render_process import RenderProcesses
rendering = RenderProcesses(seconds=60)
print(rendering("a", {}, str).text, flush=True)
rendering("{% for i in (1..999999) %}{% assign a = 'b, c' | split: ',' %}{% endfor %}" * 50, {}, str)
"""


def test_a_killed_server_leaves_no_process_behind() -> None:
    process = subprocess.Popen([sys.executable, "-c", KILLED], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"a\n"
    children = psutil.Process(process.pid).children()
    assert children
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(children, timeout=10)
    assert alive == []


def test_a_rendering_process_has_no_credentials(rendering: RenderProcesses) -> None:
    rendering("a", {}, presign)
    children = [
        child for child in psutil.Process().children() if "ground_truth_server.pages.render_process" in child.cmdline()
    ]
    assert children
    for child in children:
        assert not [name for name in child.environ() if name.startswith("AWS_")]

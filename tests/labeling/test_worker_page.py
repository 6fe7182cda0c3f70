import json
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st
from labeling.worker_page import preamble

from ground_truth_server.pages.ground_truth_liquid import render_template

# U+001F is what separates items; no one can type it, and it becomes a space.
TEXT = st.text(st.characters(exclude_characters="\x1f", exclude_categories=["Cs"]), max_size=30)
WORD = TEXT.filter(bool)
LISTS = [
    *("category_names", "category_descriptions", "category_signs"),
    *("image_keys", "image_titles", "plot_keys", "plot_titles"),
]


@dataclass
class Category:
    name: str
    description: str = ""
    look_for: str = ""


def assigned(liquid: str, names: list[str]) -> dict[str, object]:
    """What Liquid holds under each name after the preamble."""
    outputs = "\x00".join(f"{{{{ {name} | to_json }}}}" for name in names)
    rendered = render_template(liquid + "\x00" + outputs, {}, str)
    assert rendered.errors == ()
    _, *values = rendered.text.split("\x00")
    return dict(zip(names, map(json.loads, values), strict=True))


@given(
    label=WORD,
    header=TEXT,
    categories=st.lists(st.builds(Category, name=WORD, description=TEXT, look_for=TEXT), min_size=1, max_size=4),
    images=st.dictionaries(WORD, WORD, max_size=2),
    plots=st.dictionaries(WORD, WORD, max_size=3),
)
def test_the_template_gets_any_text_as_it_was_written(
    label: str, header: str, categories: list[Category], images: dict[str, str], plots: dict[str, str]
) -> None:
    liquid = preamble(label_name=label, header=header, categories=categories, images=images, plots=plots)
    held = assigned(liquid, ["label_name", "header", *LISTS])
    assert held["label_name"] == label
    assert held["header"] == header
    assert held["category_names"] == [category.name for category in categories]
    assert held["image_keys"] == list(images)
    assert held["plot_titles"] == list(plots.values())
    for name, texts in {
        "category_descriptions": [category.description for category in categories],
        "category_signs": [category.look_for for category in categories],
    }.items():
        found = held[name]
        assert isinstance(found, list)
        # Some Liquids drop empty texts at the end; to the template they are empty either way.
        assert found + [""] * (len(texts) - len(found)) == texts


def test_a_preamble_can_be_read_by_people() -> None:
    liquid = preamble(
        label_name="Weld",
        header="What's 100 % sure?",
        categories=[Category("Good Weld"), Category("Schweißfehler")],
        images={"image": "Photograph"},
        plots={},
    )
    assert '{% assign label_name = "Weld" | url_decode %}' in liquid
    assert '{% assign header = "What%27s 100 %25 sure?" | url_decode %}' in liquid
    assert '{% assign category_names = "Good Weld%1FSchweißfehler" | url_decode | split: separator %}' in liquid

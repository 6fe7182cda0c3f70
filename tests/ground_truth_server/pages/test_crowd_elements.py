"""Each crowd element in headless Chromium, on pages like those that are published for Ground Truth."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from tests.ground_truth_server.pages.worker_page_frame import Site, WorkerPages, served

SCRIPT = '<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>'
IMAGE = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="600"><rect width="900" height="600" fill="#9aa5b1"/>'
    '<circle cx="450" cy="300" r="180" fill="#c2571a"/></svg>'
)
ANIMALS = "['Cat', 'Dog', 'Bird', 'None of the Above']"


@pytest.fixture(scope="module")
def sites() -> Iterator[tuple[Site, Site]]:
    with served() as portal, served() as pages:
        pages.put("/bucket/animal.svg", IMAGE, "image/svg+xml", Access_Control_Allow_Origin="*")
        yield portal, pages


@pytest.fixture
def pages(browser: Browser, sites: tuple[Site, Site]) -> Iterator[WorkerPages]:
    pages = WorkerPages(browser, *sites)
    yield pages
    pages.close()


def form(content: str) -> str:
    return f"{SCRIPT}<crowd-form>{content}</crowd-form>"


EVERY_FIELD = """
  <crowd-classifier name="kind" categories="['Cat', 'Dog']" header="Which?"></crowd-classifier>
  <crowd-image-classifier-multi-select name="all" categories="['x', 'y', 'z']" header="All?">
    <worker-comment header="Why?" link-text="Say why">Why?</worker-comment></crowd-image-classifier-multi-select>
  <crowd-input name="word" label="Word"></crowd-input><crowd-text-area name="essay" label="Essay"></crowd-text-area>
  <crowd-slider name="size" min="0" max="10" label="Size"></crowd-slider>
  <crowd-checkbox name="seen" value="seam">Seam</crowd-checkbox>
  <crowd-toggle-button name="seen" value="root">Root</crowd-toggle-button>
  <crowd-radio-group><crowd-radio-button name="a" value="yes">Yes</crowd-radio-button>
    <crowd-radio-button name="b" value="no">No</crowd-radio-button></crowd-radio-group>
  <label>First <input name="plain"></label> <label>Second <input name="plain"></label>
  <label>Box <input type="checkbox" name="box" value="on"></label>
  <label>Preset <input type="checkbox" name="preset" value="on" checked></label>
  <label>Either <input type="radio" name="either" value="1"></label>
  <label>Or <input type="radio" name="either" value="2"></label>
  <label>One <select name="one"><option>p<option>q</select></label>
  <label>Some <select name="some" multiple><option>r<option>s<option>t</select></label>
  <input type="hidden" name="drawn">"""
FILLED = {
    "kind": {"label": "Dog"},
    "all": {"labels": ["x", "z"], "workerComment": "both ü"},
    "word": "w",
    "essay": "two\nlines",
    "size": 7,
    "seen": {"seam": True, "root": False},
    "a": {"yes": False},
    "b": {"no": True},
    "plain": ["1", "2"],
    "box": {"on": True},
    "preset": {"on": False},
    "either": {"1": False, "2": True},
    "one": "q",
    "some": ["r", "t"],
    "drawn": '{"from":1}',
}


class TestDrafts:
    def test_what_was_entered_is_put_in_again_in_every_field(self, pages: WorkerPages) -> None:
        shown = pages.show(form(EVERY_FIELD))
        shown.tell({"type": "restore", "answer": FILLED})
        shown.task.get_by_role("checkbox", name="Seam").wait_for()
        assert shown.submit() == FILLED

    def test_what_is_told_of_a_draft_is_what_would_be_submitted(self, pages: WorkerPages) -> None:
        shown = pages.show(form(EVERY_FIELD))
        assert shown.messages("draft") == []
        shown.task.get_by_label("Dog", exact=True).check()
        shown.task.get_by_label("x", exact=True).check()
        shown.task.get_by_role("textbox", name="Word").fill("abc")
        shown.task.get_by_text("No", exact=True).click()
        shown.page.wait_for_function("messages.some(({ type, answer }) => type === 'draft' && answer.b?.no)")
        answer = shown.submit()
        assert shown.messages("draft")[-1]["answer"] == answer
        assert isinstance(answer, dict)
        assert (answer["kind"], answer["word"], answer["b"]) == ({"label": "Dog"}, "abc", {"no": True})

    @pytest.mark.parametrize(
        "odd", [None, 7, "text", [], {"kind": "Dog", "all": {"labels": 3}, "size": "big", "seen": None, "plain": {}}]
    )
    def test_an_odd_answer_puts_in_nothing(self, pages: WorkerPages, odd: object) -> None:
        shown = pages.show(form(EVERY_FIELD))
        shown.tell({"type": "restore", "answer": odd})
        shown.refuses("2 answers are missing")
        assert shown.errors == []

    def test_a_template_of_its_own_controls_is_told(self, pages: WorkerPages) -> None:
        script = """<output id="o"></output><script>
          document.addEventListener("crowd-restore", ({ detail }) => { o.value = detail.drawn; });</script>"""
        shown = pages.show(form(EVERY_FIELD + script))
        shown.tell({"type": "restore", "answer": FILLED})
        expect(shown.task.locator("#o")).to_have_text('{"from":1}')

    def test_a_page_to_look_at_takes_nothing(self, pages: WorkerPages) -> None:
        shown = pages.show(form(EVERY_FIELD))
        shown.tell({"type": "restore", "answer": FILLED})
        shown.tell({"type": "read-only"})
        expect(shown.task.get_by_label("Dog", exact=True)).to_be_checked()
        expect(shown.task.get_by_label("Dog", exact=True)).to_be_disabled()
        expect(shown.task.get_by_label("First")).to_be_disabled()
        expect(shown.task.get_by_role("button", name="Submit")).to_have_count(0)
        before = len(shown.messages("draft"))
        shown.evaluate("document.querySelector('crowd-form').submit()")
        shown.tell({"type": "key", "key": "1"})
        shown.tell({"type": "key", "key": "Enter"})
        shown.page.wait_for_timeout(400)
        expect(shown.task.get_by_label("Dog", exact=True)).to_be_checked()
        assert (shown.messages("answer"), len(shown.messages("draft"))) == ([], before)


class TestAnswers:
    def test_classifier(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-classifier name="intent" header="What is meant?"
                     categories="{{ task.input.labels | to_json | escape }}">
                   <classification-target>{{ task.input.text }}</classification-target>
                   <full-instructions header="Intents">Read it.</full-instructions>
                   <short-instructions>Choose one.</short-instructions></crowd-classifier>"""
            ),
            {"labels": ["buy", 'say "no"', "don't know"], "text": "I <want> it"},
        )
        shown.task.get_by_label('say "no"', exact=True).check()
        shown.task.get_by_label("don't know", exact=True).check()
        assert shown.submit() == {"intent": {"label": "don't know"}}

    @pytest.mark.parametrize("element", ["crowd-classifier-multi-select", "crowd-image-classifier-multi-select"])
    def test_multi_select(self, pages: WorkerPages, element: str) -> None:
        shown = pages.show(
            form(
                f"""<{element} name="animals" header="Which?" categories="['Cat', 'Dog', 'Horse']"
                    exclusion-category="{{ text: 'None of the above' }}"></{element}>"""
            )
        )
        shown.task.get_by_label("None of the above", exact=True).check()
        shown.task.get_by_label("Horse", exact=True).check()
        shown.task.get_by_label("Cat", exact=True).check()
        assert shown.submit() == {"animals": {"labels": ["Cat", "Horse"]}}

    @pytest.mark.parametrize("comment", ["", "The tail is cut off."])
    def test_image_classifier(self, pages: WorkerPages, comment: str) -> None:
        shown = pages.show(
            form(
                f"""<crowd-image-classifier name="animal" header="Which animal?" categories="{ANIMALS}"
                    src="{{{{ task.input.image | grant_read_access }}}}">
                    <worker-comment header="Why?" link-text="Say why">In a few words.</worker-comment>
                    </crowd-image-classifier>"""
            ),
            {"image": "s3://bucket/animal.svg"},
        )
        assert shown.evaluate(
            "document.querySelector('crowd-image-classifier').shadowRoot.querySelector('img').decode().then(() => 1)"
        )
        shown.task.get_by_label("Bird", exact=True).check()
        if comment:
            shown.task.get_by_role("button", name="Say why").click()
            shown.task.get_by_role("dialog", name="Why?").get_by_role("textbox").fill(comment)
            shown.task.get_by_role("button", name="Done").click()
            expect(shown.task.get_by_text("Your comment: The tail")).to_be_visible()
        expected = {"label": "Bird", "workerComment": comment} if comment else {"label": "Bird"}
        assert shown.submit() == {"animal": expected}

    def test_text(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-input name="typed" label="Typed"></crowd-input>
                   <crowd-input name="untouched" label="Untouched"></crowd-input>
                   <crowd-input name="preset" label="Preset" value="as it was"></crowd-input>
                   <crowd-text-area name="essay" label="Essay" rows="3"></crowd-text-area>
                   <crowd-text-area name="empty" label="Empty"></crowd-text-area>"""
            )
        )
        shown.task.get_by_role("textbox", name="Typed").fill("a word")
        shown.task.get_by_role("textbox", name="Essay").fill("two\nlines")
        assert shown.submit() == {"typed": "a word", "preset": "as it was", "essay": "two\nlines", "empty": ""}

    def test_checkboxes_and_toggles(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-checkbox name="image" value="blurry">Blurry</crowd-checkbox>
                   <crowd-checkbox name="image" value="dim" checked>Too dim</crowd-checkbox>
                   <crowd-checkbox name="found">Found</crowd-checkbox>
                   <crowd-checkbox name="off" disabled checked>Off</crowd-checkbox>
                   <crowd-toggle-button name="toggle" value="loud">Loud</crowd-toggle-button>
                   <crowd-toggle-button name="bare"></crowd-toggle-button>"""
            )
        )
        shown.task.get_by_role("checkbox", name="Blurry").check()
        shown.task.get_by_role("switch", name="Loud").check()
        assert shown.submit() == {
            "image": {"blurry": True, "dim": True},
            "found": {"on": False},
            "toggle": {"loud": True},
            "bare": {"on": False},
        }

    def test_radio_group(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-radio-group><crowd-radio-button name="btn1" value="yes" checked>Yes</crowd-radio-button>
                   <crowd-radio-button name="btn2" value="no">No</crowd-radio-button></crowd-radio-group>"""
            )
        )
        shown.task.get_by_role("radio", name="No").click()
        assert shown.submit() == {"btn1": {"yes": False}, "btn2": {"no": True}}

    def test_slider(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-slider name="much" min="1" max="10" step="0.5" pin label="How much"></crowd-slider>
                   <crowd-slider name="set" min="0" max="10" value="7" label="Set"></crowd-slider>
                   <crowd-slider name="left" min="3" label="Left"></crowd-slider>"""
            )
        )
        slider = shown.task.get_by_role("slider", name="How much")
        slider.focus()
        for _ in range(3):
            shown.page.keyboard.press("ArrowRight")
        assert shown.submit() == {"much": 2.5, "set": 7, "left": 3}

    def test_plain_html(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<label>Text <input name="text"></label><input type="hidden" name="hidden" value="h">
                   <label>Area <textarea name="area"></textarea></label>
                   <label>Select <select name="select"><option value="">-</option><option>Two</option></select></label>
                   <label><input type="radio" name="radio" value="a">A</label>
                   <label><input type="radio" name="radio" value="b">B</label>
                   <label><input type="checkbox" name="box" value="boxed">Box</label>
                   <input type="checkbox" name="unboxed"><input name="disabled" value="x" disabled>
                   <input value="nameless">"""
            )
        )
        shown.task.get_by_label("Text").fill("t")
        shown.task.get_by_label("Area").fill("a\nb")
        shown.task.get_by_label("Select").select_option("Two")
        shown.task.get_by_label("A", exact=True).check()
        shown.task.get_by_label("B", exact=True).check()
        shown.task.get_by_label("Box", exact=True).check()
        assert shown.submit() == {
            "text": "t",
            "hidden": "h",
            "area": "a\nb",
            "select": "Two",
            "radio": {"a": False, "b": True},
            "box": {"boxed": True},
            "unboxed": {"on": False},
        }


class TestValidation:
    def test_a_classifier_wants_a_category(self, pages: WorkerPages) -> None:
        shown = pages.show(form(f'<crowd-classifier name="c" categories="{ANIMALS}"></crowd-classifier>'))
        shown.refuses("Choose a category.")
        assert shown.evaluate("document.activeElement.localName") == "crowd-classifier"
        shown.task.get_by_label("Dog", exact=True).check()
        assert shown.submit() == {"c": {"label": "Dog"}}

    @pytest.mark.parametrize(
        ("field", "problem"),
        [
            ('<crowd-input name="f" label="Word" required></crowd-input>', "Word: please fill this in."),
            ('<crowd-input name="f" required error-message="A word, please"></crowd-input>', "A word, please"),
            ('<crowd-text-area name="f" label="Essay" required></crowd-text-area>', "Essay: please fill this in."),
            ('<crowd-checkbox name="f" required>Clear</crowd-checkbox>', "Clear: please turn this on."),
            ('<crowd-toggle-button name="f" label="Loud" required></crowd-toggle-button>', "Loud: please turn"),
            ('<label>Plain <input name="f" required></label>', "Plain: Please fill"),
            ('<label>Which <select name="f" required><option value="">-</option></select></label>', "Which: Please"),
            ('<label>Mail <input name="f" type="email" value="no"></label>', "Mail: Please"),
            ('<crowd-input name="f" label="Mail" type="email" value="no"></crowd-input>', "Please include"),
            ('<crowd-input name="f" label="Code" min-length="4" value="abc"></crowd-input>', "at least 4"),
        ],
    )
    def test_what_is_wrong_is_said_and_shown_to_the_worker(self, pages: WorkerPages, field: str, problem: str) -> None:
        shown = pages.show(form(f'<crowd-input name="first" label="First"></crowd-input>{field}'))
        shown.refuses(problem)
        assert shown.evaluate("document.activeElement.getAttribute('name')") == "f"

    def test_several_problems_are_counted_and_a_hidden_one_is_brought_to_view(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-tabs><crowd-tab header="One">Text</crowd-tab>
                   <crowd-tab header="Two"><crowd-input name="a" label="Inside" required></crowd-input></crowd-tab>
                   </crowd-tabs>
                   <crowd-input name="b" label="Outside" required></crowd-input>"""
            )
        )
        expect(shown.task.get_by_role("textbox", name="Inside")).to_be_hidden()
        shown.refuses("2 answers are missing")
        shown.task.get_by_role("textbox", name="Inside").fill("in")
        shown.task.get_by_role("textbox", name="Outside").fill("out")
        assert shown.submit() == {"a": "in", "b": "out"}

    def test_only_allowed_characters_can_be_typed(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-input name="n" label="N" allowed-pattern="[0-9]" auto-validate max-length="3"></crowd-input>
                   <crowd-text-area name="t" label="T" max-length="5" char-counter></crowd-text-area>"""
            )
        )
        shown.task.get_by_role("textbox", name="N").press_sequentially("1a2b34")
        shown.task.get_by_role("textbox", name="T").press_sequentially("abcdefg")
        expect(shown.task.get_by_text("5 / 5")).to_be_visible()
        assert shown.submit() == {"n": "123", "t": "abcde"}


class TestForm:
    def test_onsubmit_attribute_can_refuse_and_listeners_set_hidden_fields(self, pages: WorkerPages) -> None:
        shown = pages.show(
            f"""{SCRIPT}<crowd-form onsubmit="return tries++ > 0">
            <input type="hidden" name="result" id="result"></crowd-form>
            <script>
              var tries = 0;
              document.querySelector("crowd-form").addEventListener("submit",
                () => {{ result.value = "try " + tries; }});
            </script>"""
        )
        shown.task.get_by_role("button", name="Submit").click()
        assert shown.evaluate("tries") == 1
        assert shown.messages("answer") == []
        assert shown.submit() == {"result": "try 2"}

    def test_onsubmit_property_may_prevent(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<div id="errorBox"></div>
                   <crowd-radio-group><crowd-radio-button name="a" value="1">First</crowd-radio-button>
                   <crowd-radio-button name="b" value="2">Second</crowd-radio-button></crowd-radio-group>
                   <script>
                     window.onload = () => {
                       document.querySelector('crowd-form').onsubmit = function (e) {
                         const buttons = [...document.querySelector('crowd-radio-group').children];
                         const chosen = buttons.some((button) => button.checked);
                         if (chosen) return;
                         e.preventDefault();
                         errorBox.innerHTML = '<crowd-alert type="error" dismissible>Choose one.</crowd-alert>';
                       };
                     };
                   </script>"""
            )
        )
        shown.task.get_by_role("button", name="Submit").click()
        expect(shown.task.get_by_role("alert").filter(has_text="Choose one.")).to_be_visible()
        shown.task.get_by_role("button", name="Dismiss").click()
        expect(shown.task.get_by_text("Choose one.")).to_have_count(0)
        shown.task.get_by_role("radio", name="Second").click()
        assert shown.submit() == {"a": {"1": False}, "b": {"2": True}}

    @pytest.mark.parametrize(
        "button",
        [
            '<button type="button" onclick="document.querySelector(\'crowd-form\').submit()">Go</button>',
            """<crowd-fab id="go" icon="send" title="Go"></crowd-fab><script>
               go.addEventListener('click', () => document.querySelector('crowd-form').submit())</script>""",
            "<button>Go</button>",
            '<input type="submit" value="Go">',
            "<form action='https://elsewhere.test/'><button>Go</button></form>",
        ],
    )
    def test_own_buttons_submit_and_are_listened_to(self, pages: WorkerPages, button: str) -> None:
        shown = pages.show(
            form(f"""<input type="hidden" name="set" value="no">{button}
                     <script>document.querySelector('crowd-form').addEventListener('submit',
                       () => {{ document.querySelector('[name=set]').value = 'yes'; }});</script>""")
        )
        shown.task.get_by_role("button", name="Go").click()
        assert shown.answer() == {"set": "yes"}
        assert shown.errors == []

    def test_a_submit_called_within_a_listener_sends_once(self, pages: WorkerPages) -> None:
        shown = pages.show(
            f"""{SCRIPT}<crowd-form><input name="x" value="1"></crowd-form><script>
              document.querySelector('crowd-form').onsubmit = function (e) {{ e.preventDefault(); this.submit(); }};
            </script>"""
        )
        assert shown.submit() == {"x": "1"}

    def test_a_form_gets_one_submit_button_and_no_second(self, pages: WorkerPages) -> None:
        shown = pages.show(form("<p>Nothing to fill in</p>"))
        expect(shown.task.locator('crowd-button[form-action="submit"]')).to_have_count(1)
        shown.evaluate(
            "document.querySelector('crowd-form').innerHTML = "
            "'<input name=a value=1><crowd-button form-action=submit>Hand in</crowd-button>'"
        )
        expect(shown.task.locator("crowd-button")).to_have_count(1)
        shown.task.get_by_role("button", name="Hand in").click()
        assert shown.answer() == {"a": "1"}

    def test_a_hidden_submit_button_of_the_template_is_respected(self, pages: WorkerPages) -> None:
        shown = pages.show(form('<crowd-button form-action="submit" style="display: none"></crowd-button>'))
        expect(shown.task.get_by_role("button")).to_have_count(0)

    def test_reset(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                f"""<crowd-input name="a" label="A" value="first"></crowd-input>
                    <crowd-checkbox name="b">B</crowd-checkbox>
                    <label>C <input name="c" value="plain"></label>
                    <crowd-classifier name="d" categories="{ANIMALS}"></crowd-classifier>
                    <crowd-button form-action="reset">Start again</crowd-button>"""
            )
        )
        shown.task.get_by_role("textbox", name="A").fill("second")
        shown.task.get_by_role("checkbox", name="B").check()
        shown.task.get_by_label("C", exact=True).fill("changed")
        shown.task.get_by_label("Bird", exact=True).check()
        shown.task.get_by_role("button", name="Start again").click()
        answer = shown.evaluate("document.querySelector('crowd-form').answer")
        assert answer == {"a": "first", "b": {"on": False}, "c": "plain"}

    def test_an_answer_goes_out_once_until_the_portal_rejects_it(self, pages: WorkerPages) -> None:
        shown = pages.show(form('<input name="x" value="1">'))
        shown.submit()
        shown.task.get_by_role("button", name="Submit").click()
        assert len(shown.messages("answer")) == 1
        shown.tell({"type": "rejected", "message": "The disk is full."})
        expect(shown.task.get_by_text("The disk is full.")).to_be_visible()
        shown.task.get_by_role("button", name="Submit").click()
        shown.page.wait_for_function("messages.filter((message) => message.type === 'answer').length === 2")


class TestDynamicPages:
    def test_liquid_loops(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """{% for q in task.input.questions %}<crowd-card heading="{{ q.text }}">
                   <crowd-radio-group>{% for a in q.answers %}
                   <crowd-radio-button name="q{{ forloop.parentloop.index }}-{{ a }}" value="{{ a }}">
                   {{ a | capitalize }}</crowd-radio-button>
                   {% endfor %}</crowd-radio-group></crowd-card>{% endfor %}"""
            ),
            {"questions": [{"text": "Sharp?", "answers": ["yes", "no"]}, {"text": "Whole?", "answers": ["all"]}]},
        )
        shown.task.get_by_role("radio", name="No").click()
        assert shown.submit() == {"q1-yes": {"yes": False}, "q1-no": {"no": True}, "q2-all": {"all": False}}

    def test_elements_that_scripts_make(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form('<div id="place"></div>')
            + """<script>
              document.addEventListener('all-crowd-elements-ready', () => {
                const box = document.createElement('crowd-checkbox');
                box.name = 'made'; box.value = 'up'; box.textContent = 'Made'; box.checked = true;
                place.append(box);
                place.insertAdjacentHTML('beforeend', '<crowd-classifier name="kind"></crowd-classifier>');
                document.querySelector('crowd-classifier').categories = ['Old', 'New'];
                place.insertAdjacentHTML('beforeend', '<crowd-input name="text" label="Text"></crowd-input>');
                document.querySelector('crowd-input').value = 'by script';
              });
            </script>"""
        )
        shown.task.get_by_label("New", exact=True).check()
        assert shown.submit() == {"made": {"up": True}, "kind": {"label": "New"}, "text": "by script"}
        assert shown.errors == []

    def test_a_script_at_the_end_of_the_page(self, pages: WorkerPages) -> None:
        shown = pages.show(
            f"""<crowd-form><crowd-classifier name="c" categories='["A", "B"]'>
            <classification-target>Look</classification-target></crowd-classifier>
            <crowd-checkbox name="b" id="box">Box</crowd-checkbox></crowd-form>
            <script>box.checked = true;</script>{SCRIPT}"""
        )
        shown.task.get_by_label("B", exact=True).check()
        assert shown.submit() == {"c": {"label": "B"}, "b": {"on": True}}

    def test_listeners_hear_changes(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(f"""<crowd-classifier name="c" categories="{ANIMALS}"></crowd-classifier>
                     <crowd-checkbox name="b">Box</crowd-checkbox>""")
            + """<script>const heard = []; document.addEventListener('change', (event) =>
              heard.push([event.target.localName, event.target.checked ?? event.target.value.label]));</script>"""
        )
        shown.task.get_by_label("Cat", exact=True).check()
        shown.task.get_by_role("checkbox", name="Box").check()
        assert shown.evaluate("heard") == [["crowd-classifier", "Cat"], ["crowd-checkbox", True]]


class TestKeyboard:
    def test_a_digit_chooses_and_enter_submits(self, pages: WorkerPages) -> None:
        shown = pages.show(form(f'<crowd-classifier name="c" categories="{ANIMALS}"></crowd-classifier>'))
        assert shown.messages("ready")[0]["categories"] == 4
        shown.task.locator("body").click(position={"x": 5, "y": 5})
        shown.page.keyboard.press("4")
        shown.page.keyboard.press("3")
        shown.page.keyboard.press("Enter")
        assert shown.answer() == {"c": {"label": "Bird"}}

    def test_the_portal_can_press_the_keys(self, pages: WorkerPages) -> None:
        shown = pages.show(form(f'<crowd-classifier name="c" categories="{ANIMALS}"></crowd-classifier>'))
        shown.tell({"type": "key", "key": "2"})
        shown.tell({"type": "key", "key": "Enter"})
        assert shown.answer() == {"c": {"label": "Dog"}}

    def test_keys_that_the_page_does_not_use_reach_the_portal_and_typing_does_not(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(f"""<crowd-classifier name="c" categories="{ANIMALS}"></crowd-classifier>
                     <crowd-input name="t" label="Text"></crowd-input>""")
        )
        shown.task.get_by_role("radio", name="Cat").focus()
        for key in ("1", "n", "?"):
            shown.page.keyboard.press(key)
        shown.task.get_by_role("textbox", name="Text").press_sequentially("12n")
        assert [message["key"] for message in shown.messages("key")] == ["n", "?"]
        assert shown.submit() == {"c": {"label": "Cat"}, "t": "12n"}

    def test_enter_submits_from_a_line_of_text_and_breaks_the_line_in_an_area(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                '<crowd-text-area name="a" label="Area"></crowd-text-area>'
                '<crowd-input name="t" label="Text"></crowd-input>'
            )
        )
        shown.task.get_by_role("textbox", name="Area").press("Enter")
        assert shown.messages("answer") == []
        shown.task.get_by_role("textbox", name="Text").press("Enter")
        assert shown.answer() == {"a": "\n"}

    def test_arrows_move_within_a_radio_group(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-radio-group aria-label="Size"><crowd-radio-button name="s">Small</crowd-radio-button>
                   <crowd-radio-button name="l">Large</crowd-radio-button></crowd-radio-group>"""
            )
        )
        shown.task.get_by_role("radio", name="Small").focus()
        shown.page.keyboard.press("ArrowDown")
        expect(shown.task.get_by_role("radio", name="Large")).to_be_focused()
        expect(shown.task.get_by_role("radio", name="Large")).to_be_checked()
        shown.page.keyboard.press("ArrowDown")
        expect(shown.task.get_by_role("radio", name="Small")).to_be_checked()

    def test_escape_closes_a_dialog_and_keys_in_it_choose_nothing(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                f"""<crowd-classifier name="c" categories="{ANIMALS}"><full-instructions header="How to">Look closely.
                    </full-instructions></crowd-classifier>"""
            )
        )
        shown.task.get_by_role("button", name="View full instructions").click()
        dialog = shown.task.get_by_role("dialog", name="How to")
        expect(dialog).to_be_visible()
        expect(shown.task.get_by_text("Look closely.")).to_be_visible()
        shown.page.keyboard.press("2")
        shown.page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        shown.refuses("Choose a category.")


class TestSurfaces:
    def test_tabs(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-tabs><crowd-tab header="Image">First</crowd-tab><crowd-tab header="Text">Second</crowd-tab>
                   </crowd-tabs>"""
            )
        )
        expect(shown.task.get_by_role("tab")).to_have_text(["Image", "Text"])
        shown.task.get_by_role("tab", name="Image").press("ArrowRight")
        expect(shown.task.get_by_role("tabpanel", name="Text")).to_be_visible()
        expect(shown.task.get_by_text("First")).to_be_hidden()

    def test_instructions_have_three_pages(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<crowd-instructions link-text="View instructions" link-type="button">
                   <short-summary>In short</short-summary>
                   <detailed-instructions>At length</detailed-instructions>
                   <positive-example>Like this</positive-example>
                   <negative-example>Not like this</negative-example></crowd-instructions>"""
            )
        )
        shown.task.get_by_role("button", name="View instructions").click()
        expect(shown.task.get_by_text("In short")).to_be_visible()
        shown.task.get_by_role("tab", name="Examples").click()
        expect(shown.task.get_by_text("Not like this")).to_be_visible()
        expect(shown.task.get_by_text("In short")).to_be_hidden()

    def test_modal_toast_badge_and_link(self, pages: WorkerPages) -> None:
        shown = pages.show(
            form(
                """<p id="target">Target</p><crowd-badge for="target" label="3"></crowd-badge>
                   <crowd-modal link-text="See examples">An example</crowd-modal>
                   <crowd-toast duration="300" opened text="Hello"></crowd-toast>
                   <crowd-button href="https://example.test/" variant="link">More</crowd-button>
                   <crowd-icon-button icon="help" title="Help"></crowd-icon-button>"""
            )
        )
        expect(shown.task.get_by_role("status").filter(has_text="Hello")).to_be_hidden()
        shown.task.get_by_role("button", name="See examples").click()
        expect(shown.task.get_by_role("dialog", name="See examples")).to_be_visible()
        expect(shown.task.get_by_text("An example")).to_be_visible()
        shown.task.get_by_role("button", name="Close").click()
        expect(shown.task.locator("#target crowd-badge .badge")).to_be_visible()
        expect(shown.task.get_by_role("link", name="More")).to_have_attribute("href", "https://example.test/")
        expect(shown.task.get_by_role("button", name="Help")).to_be_visible()


class TestSandbox:
    REACH = """<script>
      const tried = {};
      const attempt = (name, reach) => { try { tried[name] = String(reach()); } catch (e) { tried[name] = e.name; } };
      attempt('secret', () => parent.secret);
      attempt('document', () => parent.document.title);
      attempt('storage', () => localStorage.length);
      attempt('cookie', () => document.cookie);
      attempt('navigation', () => { top.location = 'about:blank'; });
    </script>"""

    def test_a_template_cannot_reach_the_portal(self, pages: WorkerPages) -> None:
        shown = pages.show(form('<input name="x" value="1">') + self.REACH)
        tried = shown.evaluate("tried")
        assert isinstance(tried, dict)
        # Storage and cookies are the page's own and empty: nothing of the portal's is in them.
        empty = {"storage": "0", "cookie": ""}
        assert tried == {**dict.fromkeys(("secret", "document", "navigation"), "SecurityError"), **empty}
        assert shown.messages("ready")[0]["origin"] == "null"
        before = len(pages.portal.requested)
        fetched = shown.evaluate(
            f"fetch('{pages.portal.origin}/', {{mode: 'no-cors'}}).then(() => 'read', (e) => e.name)"
        )
        assert fetched == "TypeError"
        shown.evaluate(
            f"""new Promise((done) => {{
              const image = new Image(); image.onerror = done; image.src = '{pages.portal.origin}/p.png';
            }})"""
        )
        assert len(pages.portal.requested) == before

    def test_a_page_opened_by_itself_is_sandboxed_too(self, pages: WorkerPages) -> None:
        shown = pages.show(form('<input name="x" value="1">'))
        shown.page.goto(f"{pages.pages.origin}/task")
        assert shown.page.evaluate("origin") == "null"

    def test_answers_go_to_the_portal_only(self, pages: WorkerPages) -> None:
        pages.show(form('<input name="x" value="1">'))
        stranger = pages.pages.put("/stranger", f'<iframe src="{pages.pages.origin}/task"></iframe>')
        page = pages.browser.new_page()
        page.goto(stranger)
        assert all(frame.url != f"{pages.pages.origin}/task" for frame in page.frames)
        page.close()


def test_the_hosted_elements_answer_reaches_the_portal(pages: WorkerPages) -> None:
    # AWS's script can't be fetched in a test: a stand-in with the two methods that the bridge knows of plays it.
    shown = pages.show(
        """<crowd-form></crowd-form><script>
          class Hosted extends HTMLElement {
            _serializeForm() { return { taskAnswers: JSON.stringify([{ drawn: { boundingBoxes: [] } }]) }; }
            _submitHelperForm() { throw new Error('This would go to the real service'); }
            submit() { this._submitHelperForm(); }
          }
          customElements.define('crowd-form', Hosted);
          document.dispatchEvent(new CustomEvent('all-crowd-elements-ready'));
        </script>""",
        hosted=True,
    )
    shown.evaluate("document.querySelector('crowd-form').submit()")
    assert shown.answer() == {"drawn": {"boundingBoxes": []}}


def test_a_script_of_the_template_can_decline(pages: WorkerPages) -> None:
    shown = pages.show(form("<p>Unreadable</p>"))
    shown.evaluate("document.dispatchEvent(new CustomEvent('crowd-decline')), 0")
    shown.page.wait_for_function("messages.some((message) => message.type === 'decline')")


def test_every_control_has_a_role_and_a_name(pages: WorkerPages) -> None:
    shown = pages.show(KITCHEN_SINK, {"image": "s3://bucket/animal.svg"})
    nameless = shown.evaluate(
        """() => {
          const within = (e) => (e.shadowRoot ? all(e.shadowRoot) : []);
          const all = (root) => [...root.querySelectorAll('*')].flatMap((e) => [e, ...within(e)]);
          const controls = 'button, input, textarea, select, a, dialog, [role=radio], [role=tab]';
          const named = (e) => e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length
            || e.closest('label') || e.title || [...(e.querySelector('slot')?.assignedNodes() ?? [])].length;
          return all(document).filter((e) => e.matches(controls) && !named(e)).map((e) => e.outerHTML);
        }"""
    )
    assert nameless == []
    assert shown.errors == []


KITCHEN_SINK = form(
    """<crowd-instructions link-text="View instructions" link-type="button"><short-summary>Be brief.</short-summary>
    </crowd-instructions>
    <crowd-alert type="info" dismissible>Something to know</crowd-alert>
    <crowd-alert type="success">Something went well</crowd-alert>
    <crowd-alert type="warning">Something to watch</crowd-alert>
    <crowd-alert type="error" dismissible>Something is wrong</crowd-alert>
    <crowd-card heading="A card"><p>Nothing is great.</p></crowd-card>
    <crowd-input name="word" label="Word or phrase" placeholder="example: pink" required></crowd-input>
    <crowd-text-area name="essay" label="Essay" rows="3" max-length="200" char-counter></crowd-text-area>
    <div><crowd-checkbox name="i" value="blurry" checked>Blurry</crowd-checkbox>
      <crowd-checkbox name="i" value="dim" disabled>Too dim</crowd-checkbox>
      <crowd-toggle-button name="on" checked>On</crowd-toggle-button>
      <crowd-toggle-button name="off" invalid>Invalid</crowd-toggle-button></div>
    <crowd-radio-group><crowd-radio-button name="o1" checked>One</crowd-radio-button>
      <crowd-radio-button name="o2">Two</crowd-radio-button></crowd-radio-group>
    <crowd-slider name="much" min="1" max="10" pin label="How much"></crowd-slider>
    <crowd-slider name="many" min="1" max="10" editable label="How many"></crowd-slider>
    <div><crowd-button>Normal</crowd-button> <crowd-button variant="primary" icon="search">Primary</crowd-button>
      <crowd-button variant="link">Link</crowd-button> <crowd-button disabled>Disabled</crowd-button>
      <crowd-button loading>Loading</crowd-button> <crowd-icon-button icon="help"></crowd-icon-button>
      <crowd-fab icon="report-problem" title="Report a problem"></crowd-fab> <crowd-badge label="3"></crowd-badge></div>
    <crowd-modal link-text="See examples">Modal text</crowd-modal>
    <crowd-tabs><crowd-tab header="Tab 1">First</crowd-tab><crowd-tab header="Tab 2">Second</crowd-tab></crowd-tabs>
    <label>Plain <select name="plain"><option>Negative</option></select></label>
    <crowd-polygon src="{{ task.input.image | grant_read_access }}" header="Draw" labels="['a']" name="p">
    </crowd-polygon>"""
)
CLASSIFIER = form(
    f"""<crowd-image-classifier name="animal" src="{{{{ task.input.image | grant_read_access }}}}"
      categories="{ANIMALS}" header="Choose the correct category for the image">
      <short-instructions><p>Inspect the image.</p><p>Choose the label that suits it best.</p></short-instructions>
      <full-instructions header="Classification Instructions"><p>Read the task carefully.</p></full-instructions>
      <worker-comment link-text="Add a comment">Say why.</worker-comment></crowd-image-classifier>"""
)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", [(1280, 800), (820, 1180), (390, 844)], ids=["wide", "tablet", "narrow"])
@pytest.mark.parametrize(("name", "template"), [("elements", KITCHEN_SINK), ("classifier", CLASSIFIER)])
def test_pages_fit_their_window(  # and leave pictures of themselves in build/screenshots
    pages: WorkerPages, name: str, template: str, size: tuple[int, int], dark: bool
) -> None:
    shown = pages.show(template, {"image": "s3://bucket/animal.svg"}, dark=dark, size=size)
    shown.tell({"type": "key", "key": "2"})
    shown.picture(f"{name}-{size[0]}-{'dark' if dark else 'light'}")
    assert shown.evaluate("document.documentElement.scrollWidth") == size[0]
    lightness = shown.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (lightness == "rgb(255, 255, 255)") is not dark

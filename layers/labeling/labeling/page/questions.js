// The further questions of a job: what is answered is kept in hidden fields of the form, and what is missing is said.
(function () {
  "use strict";

  const form = document.querySelector("crowd-form");
  const keep = (field, value) => {
    if (field.value === value) return;
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };

  // Choices as buttons: one of them for a category, any number for categories.
  function choices(block, field, several) {
    const buttons = [...block.querySelectorAll("[data-value]")];
    const chosen = () => buttons.filter((one) => one.getAttribute("aria-pressed") === "true").map((one) => one.dataset.value);
    const press = (values) => {
      for (const one of buttons) one.setAttribute("aria-pressed", String(values.includes(one.dataset.value)));
    };
    for (const one of buttons) {
      one.onclick = () => {
        const { value } = one.dataset;
        const before = chosen();
        const rest = before.filter((other) => other !== value);
        press(before.includes(value) ? rest : several ? [...before, value] : [value]);
        const isOpen = "required" in block.dataset && !chosen().length;
        if (several) keep(field, isOpen ? "" : JSON.stringify({ categories: chosen() }));
        else keep(field, chosen()[0] ?? "");
      };
    }
    const read = () => {
      let values = field.value ? [field.value] : [];
      if (several) {
        try {
          values = JSON.parse(field.value || "{}").categories ?? [];
        } catch {
          values = [];
        }
      }
      press(values);
    };
    field.addEventListener("change", read);
    read();
    if (several && !("required" in block.dataset) && !field.value) field.value = '{"categories":[]}';
  }

  function typed(block, field) {
    const input = block.querySelector("input, textarea");
    input.addEventListener("input", () => keep(field, input.value));
    input.addEventListener("change", () => (block.querySelector(".problem").textContent = input.validationMessage));
    const read = () => (input.value = field.value);
    field.addEventListener("change", read);
    read();
  }

  // What is wrong with an answer; nothing if it can be submitted.
  function problem(block, field) {
    const input = block.querySelector("input[type=number], textarea");
    const { kind } = block.dataset;
    if (kind !== "regions" && kind !== "instants" && input && !input.validity.valid) return input.validationMessage;
    if (!("required" in block.dataset) || field.value.trim()) return "";
    return block.dataset.missing;
  }

  const questions = [...document.querySelectorAll(".question")].map((block) => ({ block, field: document.getElementsByName(block.dataset.name)[0] }));
  for (const { block, field } of questions) {
    const { kind } = block.dataset;
    if (kind === "category" || kind === "categories") choices(block, field, kind === "categories");
    else if (kind === "number" || kind === "text") typed(block, field);
    field.addEventListener("input", () => (block.querySelector(".problem").textContent = ""));
    // Keys that are typed here are no shortcuts of the classifier's, nor is Enter its submission.
    block.addEventListener("keydown", (event) => {
      const submits = event.key === "Enter" && (event.ctrlKey || event.metaKey);
      if (event.key !== "Tab" && !submits) event.stopPropagation();
    });
  }
  const fix = () => {
    for (const { block } of questions) for (const one of block.querySelectorAll(".choices-row button, textarea, input")) one.disabled = true;
  };
  document.addEventListener("crowd-read-only", fix); // where a portal shows an answer only to be looked at
  if (form?.matches("[read-only]")) fix();
  form?.addEventListener("submit", (event) => {
    const open = questions.filter(({ block, field }) => {
      const text = problem(block, field);
      block.querySelector(".problem").textContent = text;
      return text;
    });
    if (!open.length) return;
    event.preventDefault();
    const { block } = open[0];
    block.scrollIntoView({ block: "center" });
    block.querySelector("button, input, textarea, select")?.focus({ preventScroll: true });
  });
})();

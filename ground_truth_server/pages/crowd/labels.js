// The labels of an element that marks a picture, as its page gives them.

/** A value as a person can read it in a message. */
function shown(value) {
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 59)}…` : text;
}

/**
 * Read the labels that a page gives.
 *
 * @returns names, each once, in their order; and remarks on what was wrong with them.
 */
function readLabels(attribute) {
  if ((attribute ?? "").trim() === "") return { names: [], remarks: ["The page gives no labels: its attribute labels is missing or empty."] };
  const expected = 'expected was an array of texts, such as ["Car", "Bus"]';
  let given;
  try {
    given = readLiteral(attribute);
  } catch (error) {
    return { names: [], remarks: [`The labels can't be read: ${error.message}; ${expected}.`] };
  }
  if (typeof given === "string" || typeof given === "number") {
    return { names: [String(given)], remarks: [`labels is the text “${shown(given)}”; ${expected}. It is taken as one label.`] };
  }
  if (!Array.isArray(given)) return { names: [], remarks: [`labels is ${shown(given)}; ${expected}.`] };
  return tidied(given, expected);
}

function tidied(given, expected) {
  const names = new Set();
  const remarks = [];
  for (const item of given) {
    const name = labelName(item);
    if (name.trim() === "") remarks.push(`labels holds ${shown(item)}, which is no label; ${expected}.`);
    else if (names.has(name)) remarks.push(`The label “${shown(name)}” is there twice; it is shown once.`);
    else names.add(name);
  }
  if (given.length === 0) remarks.push(`labels is empty; ${expected}.`);
  return { names: [...names], remarks };
}

function labelName(item) {
  const name = isObject(item) ? item.label ?? item.name : item;
  return typeof name === "string" || typeof name === "number" ? String(name) : "";
}

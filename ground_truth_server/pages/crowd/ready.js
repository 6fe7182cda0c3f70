// Templates wait for this event before they touch an element.
whenParsed(() => setTimeout(() => document.dispatchEvent(new CustomEvent("all-crowd-elements-ready", { bubbles: true }))));

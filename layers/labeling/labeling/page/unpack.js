// This page's scripts, packed: a browser's tools show them under their names.
(async () => {
  const bytes = Uint8Array.from(atob("PACKED"), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  for (const [name, text] of await new Response(stream).json()) {
    const script = document.createElement("script");
    script.textContent = `${text}\n//# sourceURL=${name}`;
    document.head.append(script);
  }
})();

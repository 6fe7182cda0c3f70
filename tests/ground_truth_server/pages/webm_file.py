"""A real video for tests: frames that Chromium encodes, in a WebM that is put together here."""

import base64
import struct
from typing import cast

from playwright.sync_api import Browser

from tests.ground_truth_server.pages.worker_page_frame import served

WIDTH, HEIGHT = 160, 96
FRAMES_A_SECOND = 10
# Each frame is grey, lighter than the one before.
_ENCODE = """async ([width, height, frames, rate]) => {
  const chunks = [], canvas = new OffscreenCanvas(width, height), context = canvas.getContext("2d");
  const encoder = new VideoEncoder({
    output: (chunk) => {
      const bytes = new Uint8Array(chunk.byteLength);
      chunk.copyTo(bytes);
      chunks.push(btoa(String.fromCharCode(...bytes)));
    },
    error: (error) => { throw error; },
  });
  encoder.configure({ codec: "vp8", width, height, bitrate: 200000, framerate: rate });
  for (let number = 0; number < frames; number += 1) {
    const grey = Math.round((255 * number) / frames);
    context.fillStyle = `rgb(${grey} ${grey} ${grey})`;
    context.fillRect(0, 0, width, height);
    const frame = new VideoFrame(canvas, { timestamp: (number * 1e6) / rate });
    encoder.encode(frame, { keyFrame: true });
    frame.close();
  }
  await encoder.flush();
  return chunks;
}"""


def webm(browser: Browser, seconds: float) -> bytes:
    """A video that gets lighter from black to white, every frame by itself."""
    frames = round(seconds * FRAMES_A_SECOND)
    with served() as site, browser.new_context() as context:
        page = context.new_page()
        page.goto(site.put("/", "<!doctype html><title>encoder</title>"))  # WebCodecs are for secure origins only
        chunks = cast("list[str]", page.evaluate(_ENCODE, [WIDTH, HEIGHT, frames, FRAMES_A_SECOND]))
    return _file([base64.b64decode(chunk) for chunk in chunks])


def _file(chunks: list[bytes]) -> bytes:
    """Each frame is a cluster of its own, and the cues lead to each; times are in milliseconds."""
    header = _element("1a45dfa3", _text("4282", "webm") + _number("4287", 4) + _number("4285", 2))
    step = 1000 // FRAMES_A_SECOND
    info = _element(
        "1549a966", _number("2ad7b1", 1_000_000) + _element("4489", _double(step * len(chunks))) + _text("4d80", "t")
    )
    size = _element("e0", _number("b0", WIDTH) + _number("ba", HEIGHT))
    track = _number("d7", 1) + _number("73c5", 1) + _number("83", 1) + _text("86", "V_VP8") + size
    tracks = _element("1654ae6b", _element("ae", track))
    clusters = [
        _element("1f43b675", _number("e7", step * number) + _element("a3", b"\x81\0\0\x80" + chunk))
        for number, chunk in enumerate(chunks)
    ]
    # Cues come first, and hold where clusters begin: numbers of a fixed width, so that their own length is known.
    begin = len(info) + len(tracks) + len(_cues([0] * len(clusters), step))
    places = [begin + sum(map(len, clusters[:number])) for number in range(len(clusters))]
    segment = info + tracks + _cues(places, step) + b"".join(clusters)
    return header + _element("18538067", segment)


def _cues(places: list[int], step: int) -> bytes:
    points = (
        _element(
            "bb",
            _number("b3", step * number) + _element("b7", _number("f7", 1) + _number("f1", place)),
        )
        for number, place in enumerate(places)
    )
    return _element("1c53bb6b", b"".join(points))


def _element(name: str, content: bytes) -> bytes:
    return bytes.fromhex(name) + (1 << 56 | len(content)).to_bytes(8, "big") + content


def _number(name: str, value: int) -> bytes:
    return _element(name, value.to_bytes(4, "big"))


def _double(value: float) -> bytes:
    return struct.pack(">d", value)


def _text(name: str, value: str) -> bytes:
    return _element(name, value.encode())

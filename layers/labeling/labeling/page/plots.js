// Plots to work in: one cursor over all channels, zoom down to single rows. The pictures are what is there first, and
// what stays where this can't run; what is drawn in their place comes from the file of numbers beside them, read by parts.
(function () {
  "use strict";

  const LEAST = 1500; // entries of a view, where there are so many: more than the plot has columns
  const KEPT = 400; // chunks in memory
  const COLORS = ["#0072b2", "#d55e00", "#009e73", "#000000"]; // as in the pictures
  const REFERENCE = "#913c73"; // as there
  const STEP = 1.5; // of a zoom by key or button
  const [HEADING, TIME_AXIS, LABEL] = [32, 44, 20]; // pixels of what is drawn

  const numbers = (text) => (text || "").trim().split(/\s+/).filter(Boolean).map(Number);

  // The file of numbers of a recording; see PlotData in labeling/panels.py.
  class Numbers {
    constructor(url, channels, chunk, levels, gaps, band) {
      Object.assign(this, { url, channels, chunk, levels, gaps, band, good: [] });
      this.chunks = new Map();
    }

    width(level) {
      return level.rows === 1 ? 1 + this.channels : 2 + 2 * this.channels;
    }

    // The extremes of each channel from one time to another, or its rows where there are few.
    async view(begin, end, signal) {
      let depth = this.levels.length - 1;
      let first = 0;
      let last = this.levels[depth].entries;
      for (;;) {
        const level = this.levels[depth];
        const columns = await this.columns(level, first, last, signal);
        const ends = columns[level.rows === 1 ? 0 : 1];
        const before = Math.max(0, lowest(ends, begin) - 1); // one more on either side: lines come in and go out
        const after = Math.min(columns[0].length, lowest(columns[0], end) + 2);
        if (depth === 0 || after - before >= LEAST) {
          const cut = columns.map((column) => column.subarray(before, after));
          return level.rows === 1
            ? { exact: true, times: cut[0], lows: cut.slice(1), highs: cut.slice(1) }
            : {
                exact: false,
                times: cut[0].map((time, index) => (time + cut[1][index]) / 2),
                lows: cut.slice(2).filter((_, index) => index % 2 === 0),
                highs: cut.slice(2).filter((_, index) => index % 2 === 1),
              };
        }
        depth -= 1;
        const finer = level.rows / this.levels[depth].rows;
        [first, last] = [(first + before) * finer, Math.min(this.levels[depth].entries, (first + after) * finer)];
      }
    }

    // The row nearest to a time, or the next one in a direction: its time; null if there is none.
    async nearest(time, direction = 0) {
      const { times } = await this.view(time, time);
      const there = [...times].filter((one) => !direction || direction * (one - time) > 0);
      return there.length ? there.reduce((best, one) => (Math.abs(one - time) < Math.abs(best - time) ? one : best)) : null;
    }

    async columns(level, first, last, signal) {
      const from = Math.floor(first / this.chunk);
      const to = Math.ceil(last / this.chunk);
      await this.load(level, from, to, signal);
      const columns = [];
      for (let index = 0; index < this.width(level); index += 1) {
        const column = new Float64Array(last - first);
        for (let number = from; number < to; number += 1) {
          const base = number * this.chunk;
          const part = this.chunks.get(`${level.rows}:${number}`)[index];
          const begin = Math.max(0, first - base);
          column.set(part.subarray(begin, Math.min(part.length, last - base)), base + begin - first);
        }
        columns.push(column);
      }
      return columns;
    }

    // Load the chunks that aren't there yet, those beside each other with one request.
    async load(level, from, to, signal) {
      const runs = [];
      for (let number = from; number < to; number += 1) {
        const key = `${level.rows}:${number}`;
        const known = this.chunks.get(key);
        if (known) {
          this.chunks.delete(key); // what was used last is forgotten last
          this.chunks.set(key, known);
        } else if (runs.length && runs[runs.length - 1][1] === number) runs[runs.length - 1][1] = number + 1;
        else runs.push([number, number + 1]);
      }
      await Promise.all(runs.map(([begin, end]) => this.fetch(level, begin, end, signal)));
      for (const key of this.chunks.keys()) {
        if (this.chunks.size <= Math.max(KEPT, to - from)) break;
        this.chunks.delete(key);
      }
    }

    async bytes(begin, length, signal) {
      const answer = await fetch(this.url, { headers: { Range: `bytes=${begin}-${begin + length - 1}` }, signal });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      let bytes = await answer.arrayBuffer();
      if (answer.status === 200) bytes = bytes.slice(begin, begin + length); // the whole file, of a server without ranges
      if (bytes.byteLength !== length) throw new Error(`${bytes.byteLength} bytes in place of ${length}`);
      return bytes;
    }

    // What lies behind the lines, read once; see Band.
    async reference() {
      const [start, entries] = this.band;
      if (!entries || this.good.length) return;
      const bytes = await this.bytes(start, 8 * entries * (1 + 3 * this.channels));
      const columns = bytes.byteLength / 8 / entries;
      this.good = Array.from({ length: columns }, (_, at) => new Float64Array(bytes, 8 * entries * at, entries));
    }

    async fetch(level, from, to, signal) {
      const width = this.width(level);
      const entries = Math.min(level.entries, to * this.chunk) - from * this.chunk;
      const bytes = await this.bytes(level.start + 8 * width * from * this.chunk, 8 * width * entries, signal);
      for (let number = from, at = 0; number < to; number += 1) {
        const count = Math.min(this.chunk, level.entries - number * this.chunk);
        const columns = [];
        for (let index = 0; index < width; index += 1, at += 8 * count) columns.push(new Float64Array(bytes, at, count));
        this.chunks.set(`${level.rows}:${number}`, columns);
      }
    }
  }

  // The first index whose value is not below another; values ascend.
  function lowest(values, value) {
    let low = 0;
    let high = values.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (values[middle] < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function digitsFor(extent) {
    return Math.max(0, Math.min(9, 2 - Math.floor(Math.log10(extent || 1))));
  }

  const written = new Map();
  function write(value, digits) {
    if (!written.has(digits)) {
      written.set(digits, new Intl.NumberFormat("en", { maximumFractionDigits: digits, minimumFractionDigits: digits }));
    }
    return written.get(digits).format(value).replace("-", "−");
  }

  const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
  const say = (value) => plain.format(value).replace("-", "−");

  function element(name, properties, ...children) {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  }

  function button(text, label, act) {
    const made = element("button", { type: "button", textContent: text, title: label, onclick: act });
    made.setAttribute("aria-label", label);
    return made;
  }

  // A channel's panel: its picture, and what is drawn over it.
  class Channel {
    constructor(figure, index, plots) {
      const data = figure.dataset;
      const [begin, end, duration, low, high, left, right, top, bottom] = numbers(data.area);
      Object.assign(this, { figure, plots, key: data.key, name: data.name, unit: data.unit, whose: data.whose });
      this.series = Number(data.series);
      this.area = { begin, end, duration, low, high, left, right, top, bottom };
      this.color = COLORS[index % COLORS.length];
      this.picture = figure.querySelector("img");
      this.log = false;
      this.surface = element("div", { className: "surface" });
      this.cursor = element("div", { className: "cursor", hidden: true });
      this.value = element("div", { className: "value", hidden: true });
      this.chosen = element("div", { className: "chosen", hidden: true });
      this.drawn = element("div", { className: "drawn", hidden: true });
      this.heading = element("p", { className: "heading" }, this.name, " ", element("small"));
      this.drawn.append(this.heading);
      this.logButton = button("Log", `${this.name}: logarithmic`, () => plots.setLog(this, !this.log));
      this.logButton.setAttribute("aria-pressed", "false");
      const tools = element("div", { className: "tools" }, this.logButton);
      tools.append(button("Hide", `${this.name}: hide`, () => plots.hide(this, true)));
      tools.append(button("Enlarge", `${this.name}: enlarge the picture`, () => this.picture.closest("button").click()));
      this.surface.append(this.chosen, this.cursor, this.value);
      figure.append(this.drawn, this.surface, tools);
    }

    // Where the axes are, in pixels: those of the picture, or of what is drawn in its place, which needs no strip.
    box() {
      const { width, height } = this.picture.getBoundingClientRect();
      const { left, right, top, bottom } = this.area;
      const box = { width, height, left: left * width, right: right * width, top: top * height, bottom: bottom * height };
      return this.drawn.hidden ? box : { ...box, top: HEADING, bottom: height - TIME_AXIS };
    }

    // What lies behind this channel: times, lower ends, medians and upper ends.
    get good() {
      const at = 3 * this.series;
      return [0, at + 1, at + 2, at + 3].map((column) => this.numbers.good[column] || []);
    }

    // Draw numbers in the picture's place, its axes where the picture has them.
    draw(view, numbersOf) {
      this.drawn.hidden = false;
      const box = this.box();
      const times = [];
      const lows = [];
      const highs = [];
      const put = (time, low, high) => {
        times.push(time);
        lows.push(low);
        highs.push(high);
      };
      const { begin, end } = this.plots;
      const gaps = numbersOf.gaps;
      const columns = Math.round(box.right - box.left);
      const dense = view.times.length > 2 * columns; // else each entry by itself
      const exact = view.exact && !dense;
      const dots = exact && view.times.length < box.width / 6;
      let gap = 0;
      let column = null;
      for (let index = 0; index < view.times.length; index += 1) {
        const time = view.times[index];
        while (gap < gaps.length && gaps[gap][1] <= time) {
          if (index > 0 && gaps[gap][0] >= view.times[index - 1]) put((gaps[gap][0] + gaps[gap][1]) / 2, null, null);
          gap += 1;
          column = null;
        }
        const low = this.shown(view.lows[this.series][index]);
        const high = this.shown(view.highs[this.series][index]);
        const own = dense ? Math.floor(((time - begin) / (end - begin)) * columns) : null;
        const last = times.length - 1;
        if (own === null || own !== column || low === null || lows[last] === null) {
          put(time, low, high);
          column = own;
        } else {
          if (low < lows[last]) lows[last] = low;
          if (high > highs[last]) highs[last] = high;
        }
      }
      const [least, most] = this.range(times, lows, highs, begin, end);
      this.heading.style.cssText = `left: ${box.left}px; top: 4px`;
      this.heading.querySelector("small").textContent =
        (exact ? "every row" : "extremes") + (this.whose ? ` · dashed: ${this.whose}, median, 5–95 %` : "");
      if (this.chart) this.chart.destroy();
      const font = "13px DejaVu Sans, Verdana, system-ui, sans-serif";
      const look = { stroke: "#525d69", font, labelFont: font, ticks: { show: false }, grid: { stroke: "#dee2e6", width: 1 } };
      const named = (label, size) => ({ label, size: size - LABEL, labelSize: LABEL, gap: 6 });
      this.chart = new uPlot(
        {
          width: box.width,
          height: box.height,
          padding: [box.top, box.width - box.right, 0, 0],
          cursor: { show: false },
          legend: { show: false },
          scales: {
            x: { time: false, range: [begin, end] },
            y: { distr: this.log ? 3 : 1, range: [least, most] },
          },
          axes: [
            { ...look, ...named("Time (s)", TIME_AXIS) },
            { ...look, ...named(this.unit ? `${this.name} (${this.unit})` : this.name, box.left) },
          ],
          hooks: {
            drawClear: [(chart) => this.shade(chart, gaps), (chart) => this.behind(chart, true, exact)],
            draw: [(chart) => this.behind(chart, false, !exact)], // over an area, which would hide it
          },
          series: [
            {},
            { stroke: this.color, width: 1.25, points: { show: dots, size: 5, fill: this.color } },
            { stroke: this.color, width: 1.25, points: { show: false } },
          ],
          bands: exact ? [] : [{ series: [2, 1], fill: `${this.color}66` }],
        },
        [times, lows, highs],
        this.drawn,
      );
    }

    shade(chart, gaps) {
      const { ctx, bbox } = chart;
      ctx.fillStyle = "#e7eaee"; // as in the pictures
      for (const [begin, end] of gaps) {
        if (end <= this.plots.begin || begin >= this.plots.end) continue;
        const from = Math.max(bbox.left, chart.valToPos(begin, "x", true));
        const to = Math.min(bbox.left + bbox.width, chart.valToPos(end, "x", true));
        ctx.fillRect(from, bbox.top, Math.max(1, to - from), bbox.height);
      }
    }

    behind({ ctx, bbox, valToPos }, band, median) {
      const [moments, ...curves] = this.good;
      const [area, line] = [new Path2D(), new Path2D()];
      const xs = Array.from(moments, (moment) => valToPos(moment, "x", true));
      const width = xs[1] - xs[0];
      let before = NaN;
      xs.forEach((x, at) => {
        const [low, middle, high] = curves.map((one) => valToPos(this.shown(one[at]) ?? NaN, "y", true));
        area.rect(x - width / 2, high, width, low - high); // what is missing is left out
        line[Number.isNaN(before) ? "moveTo" : "lineTo"](x, middle);
        before = middle;
      });
      ctx.save();
      ctx.beginPath();
      ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
      ctx.clip();
      ctx.fillStyle = `${REFERENCE}38`;
      if (band) ctx.fill(area);
      ctx.strokeStyle = REFERENCE;
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.setLineDash([6 * devicePixelRatio, 4 * devicePixelRatio]);
      if (median) ctx.stroke(line);
      ctx.restore();
    }

    shown(value) {
      return Number.isNaN(value) || (this.log && value <= 0) ? null : value;
    }

    range(times, lows, highs, begin, end) {
      let least = Infinity;
      let most = -Infinity;
      for (let index = 0; index < times.length; index += 1) {
        if (times[index] < begin || times[index] > end || lows[index] === null) continue;
        least = Math.min(least, lows[index]);
        most = Math.max(most, highs[index]);
      }
      const [moments, from, , to] = this.good;
      for (let index = lowest(moments, begin); moments[index] <= end; index += 1) {
        if (this.shown(from[index]) === null) continue;
        least = Math.min(least, from[index]);
        most = Math.max(most, to[index]);
      }
      if (!this.plots.fits && !this.log) return [this.area.low, this.area.high];
      if (least > most) return this.log ? [1, 10] : [this.area.low, this.area.high];
      if (this.log) return [least / 1.3, most * 1.3];
      const margin = (most - least) * 0.06 || Math.abs(most) / 10 || 1;
      return [least - margin, most + margin];
    }

    // What was measured at a time, in words: between what values in the cursor's column of pixels, or in the nearest row.
    at(time, view) {
      if (!view || !view.times.length) return "";
      const box = this.box();
      const half = (this.plots.end - this.plots.begin) / (box.right - box.left) / 2;
      let first = lowest(view.times, time - half);
      let last = lowest(view.times, time + half);
      if (first === last) {
        if (first > 0 && (first === view.times.length || time - view.times[first - 1] < view.times[first] - time)) first -= 1;
        last = first + 1;
      }
      let low = Infinity;
      let high = -Infinity;
      for (let index = first; index < last; index += 1) {
        if (view.lows[this.series][index] < low) low = view.lows[this.series][index]; // no missing value is
        if (view.highs[this.series][index] > high) high = view.highs[this.series][index];
      }
      const unit = this.unit ? ` ${this.unit}` : "";
      if (!(low <= high)) return "missing";
      const [moments, from, , to] = this.good;
      const step = Math.round((time - moments[0]) / (moments[1] - moments[0]));
      const good = from[step] <= to[step] ? ` (reference ${say(from[step])} to ${say(to[step])})` : "";
      return (low === high ? `${say(low)}${unit}` : `${say(low)} to ${say(high)}${unit}`) + good;
    }

    point(x, text, box) {
      const within = x >= box.left && x <= box.right;
      this.cursor.hidden = this.value.hidden = !within;
      if (!within) return;
      this.cursor.style.cssText = `left: ${x}px; top: ${box.top}px; height: ${box.bottom - box.top}px`;
      this.value.textContent = text;
      const side = x > box.left + (box.right - box.left) / 2 ? `right: ${box.width - x + 8}px` : `left: ${x + 8}px`;
      this.value.style.cssText = `${side}; top: ${box.top + 4}px`;
      this.value.hidden = !text;
    }

    choose(from, to, box) {
      this.chosen.hidden = from === to;
      this.chosen.style.cssText =
        `left: ${Math.min(from, to)}px; width: ${Math.abs(to - from)}px; top: ${box.top}px; height: ${box.bottom - box.top}px`;
    }
  }

  // A picture on the time axis without numbers behind it, such as a spectrogram: it stays as it was drawn.
  class Still {
    constructor(figure, plots) {
      const [begin, end, , , , left, right, top, bottom] = numbers(figure.dataset.area);
      Object.assign(this, { figure, begin, end, left, right });
      this.cursor = element("div", { className: "cursor", hidden: true });
      this.cursor.style.cssText = `top: ${100 * top}%; height: ${100 * (bottom - top)}%`;
      figure.append(this.cursor);
      figure.addEventListener("pointermove", (event) => {
        const { left: from, width } = figure.getBoundingClientRect();
        const share = ((event.clientX - from) / width - left) / (right - left);
        if (share >= 0 && share <= 1) plots.move(begin + share * (end - begin));
      });
      figure.addEventListener("pointerleave", () => plots.leave());
    }

    point(time) {
      this.cursor.hidden = !(time >= this.begin && time <= this.end);
      const share = (time - this.begin) / (this.end - this.begin);
      this.cursor.style.left = `${100 * (this.left + share * (this.right - this.left))}%`;
    }
  }

  // All channels of an item, on one time axis.
  class Plots {
    constructor(group, figures) {
      this.group = group;
      this.files = new Map();
      this.channels = figures.map((figure, index) => new Channel(figure, index, this));
      for (const channel of this.channels) {
        const data = channel.figure.dataset;
        if (!this.files.has(data.recording)) {
          const triples = numbers(data.levels);
          const levels = [];
          for (let at = 0; at < triples.length; at += 3) {
            levels.push({ start: triples[at], entries: triples[at + 1], rows: triples[at + 2] });
          }
          const flat = numbers(data.gaps);
          const gaps = flat.filter((_, index) => index % 2 === 0).map((begin, index) => [begin, flat[2 * index + 1]]);
          this.files.set(data.recording, new Numbers(data.file, Number(data.channels), Number(data.chunk), levels, gaps, numbers(data.band)));
        }
        channel.numbers = this.files.get(data.recording);
      }
      const { begin, end, duration } = this.channels[0].area;
      Object.assign(this, { first: [begin, end], begin, end, duration, fits: true, views: new Map(), latest: 0 });
      this.cursorTime = null;
      this.stills = [...group.querySelectorAll(".panel[data-area]:not([data-levels])")].map((one) => new Still(one, this));
      this.bar();
      group.classList.add("live");
      group.tabIndex = 0;
      group.setAttribute("role", "group");
      group.setAttribute(
        "aria-label",
        "Plots. Left and right arrows move the cursor, with Shift the view; plus and minus zoom, Home shows all as at first.",
      );
      group.addEventListener("keydown", (event) => this.key(event));
      group.addEventListener("moment", ({ detail }) => this.play(detail)); // of what plays beside the plots
      for (const channel of this.channels) this.listen(channel);
      group.plots = this; // what marks on the plots go by; it hears of each view and each place of the cursor, too
      new ResizeObserver(() => this.redraw()).observe(group);
      this.show(begin, end);
    }

    bar() {
      this.text = element("span", { className: "shown" });
      this.spoken = element("span", { className: "spoken" });
      this.spoken.setAttribute("role", "status");
      this.fitButton = button("Fit", "Fit the heights to what is shown", () => {
        this.fits = !this.fits;
        this.fitButton.setAttribute("aria-pressed", String(this.fits));
        this.redraw();
      });
      this.fitButton.setAttribute("aria-pressed", "true");
      this.reset = button("Reset", "Show what was shown first", () => this.show(...this.first));
      this.hiddenOnes = element("span");
      this.thumb = element("i");
      this.whole = element("div", { className: "whole", title: "The whole recording" }, this.thumb);
      this.whole.addEventListener("pointerdown", (event) => this.dragWhole(event));
      const bar = element(
        "div",
        { className: "plots-bar" },
        this.text,
        this.hiddenOnes,
        button("−", "Zoom out", () => this.zoom(STEP)),
        button("+", "Zoom in", () => this.zoom(1 / STEP)),
        button("◀", "Earlier", () => this.pan(-0.25)),
        button("▶", "Later", () => this.pan(0.25)),
        button("All", "Show the whole recording", () => this.show(0, this.duration)),
        this.reset,
        this.fitButton,
        this.whole,
        this.spoken,
      );
      bar.setAttribute("role", "toolbar");
      bar.setAttribute("aria-label", "View of the plots");
      this.group.before(bar);
    }

    get isAsAtFirst() {
      return this.begin === this.first[0] && this.end === this.first[1];
    }

    // The shortest stretch that is shown: some rows, wherever they are densest.
    get shortest() {
      const densest = Math.max(...[...this.files.values()].map((file) => file.levels[0].entries));
      return Math.max((5 * this.duration) / densest, 1e-9);
    }

    show(begin, end) {
      const length = Math.min(Math.max(end - begin, this.shortest), this.duration);
      const middle = (begin + end) / 2;
      const from = Math.min(Math.max(0, middle - length / 2), this.duration - length);
      const same = Math.abs(begin - this.first[0]) + Math.abs(end - this.first[1]) < 1e-9;
      [this.begin, this.end] = same ? this.first : [from, from + length];
      const digits = digitsFor(this.end - this.begin);
      this.text.textContent = `${write(this.begin, digits)} to ${write(this.end, digits)} s of ${write(this.duration, digits)} s`;
      this.thumb.style.left = `${(100 * this.begin) / this.duration}%`;
      this.thumb.style.width = `${(100 * (this.end - this.begin)) / this.duration}%`;
      this.reset.disabled = this.isAsAtFirst;
      return this.load();
    }

    async load() {
      this.latest += 1;
      const mine = this.latest;
      this.group.setAttribute("aria-busy", "true");
      try {
        const files = [...this.files.values()];
        const views = await Promise.all(files.map((file) => file.view(this.begin, this.end)));
        await Promise.all(files.map((file) => file.reference()));
        if (mine !== this.latest) return; // something else is shown by now
        this.views = new Map(files.map((file, index) => [file, views[index]]));
        this.redraw();
      } catch (error) {
        if (mine !== this.latest) return;
        this.text.textContent = `The numbers behind the plots could not be loaded (${error.message}); the pictures stay.`;
        for (const channel of this.channels) channel.drawn.hidden = true;
      } finally {
        if (mine === this.latest) this.group.removeAttribute("aria-busy");
      }
    }

    redraw() {
      for (const channel of this.channels) {
        const view = this.views.get(channel.numbers);
        if (!view || channel.figure.classList.contains("hidden-panel")) continue;
        if (this.isAsAtFirst && !channel.log) channel.drawn.hidden = true;
        else channel.draw(view, channel.numbers);
      }
      this.group.dispatchEvent(new Event("shown"));
      if (this.cursorTime !== null) this.point(this.cursorTime);
    }

    setLog(channel, log) {
      channel.log = log;
      channel.logButton.setAttribute("aria-pressed", String(log));
      this.redraw();
    }

    hide(channel, hidden) {
      channel.figure.classList.toggle("hidden-panel", hidden);
      const away = this.channels.filter((one) => one.figure.classList.contains("hidden-panel"));
      this.hiddenOnes.replaceChildren(
        ...away.map((one) => button(`Show ${one.name}`, `Show ${one.name}`, () => this.hide(one, false))),
      );
      if (hidden) this.hiddenOnes.lastElementChild.focus();
      else this.redraw();
    }

    zoom(factor, about) {
      const centre = about ?? (this.cursorTime !== null && this.cursorTime > this.begin && this.cursorTime < this.end
        ? this.cursorTime
        : (this.begin + this.end) / 2);
      const length = Math.min(Math.max((this.end - this.begin) * factor, this.shortest), this.duration);
      const share = (centre - this.begin) / (this.end - this.begin);
      this.show(centre - share * length, centre + (1 - share) * length);
    }

    pan(share) {
      const length = this.end - this.begin;
      const begin = Math.min(Math.max(0, this.begin + share * length), this.duration - length);
      this.show(begin, begin + length);
    }

    timeAt(x, box) {
      return this.begin + ((x - box.left) / (box.right - box.left)) * (this.end - this.begin);
    }

    // Where a person puts the cursor, players follow; while one plays, the cursor is its own.
    move(time, chosen = false) {
      if (chosen || !this.group.classList.contains("playing")) this.point(time);
      this.group.dispatchEvent(new CustomEvent("cursor", { detail: { time, chosen } }));
    }

    play(time) {
      if (!this.isAsAtFirst && (time < this.begin || time > this.end)) this.show(time, time + this.end - this.begin);
      this.point(time);
    }

    point(time) {
      this.cursorTime = time;
      for (const still of this.stills) still.point(time);
      const said = [];
      for (const channel of this.channels) {
        if (channel.figure.classList.contains("hidden-panel")) continue;
        const box = channel.box();
        const share = (time - this.begin) / (this.end - this.begin);
        const text = channel.at(time, this.views.get(channel.numbers));
        channel.point(box.left + share * (box.right - box.left), text, box);
        said.push(`${channel.name} ${text}`);
      }
      this.group.dispatchEvent(new CustomEvent("pointed", { detail: time }));
      const moment = `${write(time, digitsFor((this.end - this.begin) / 100))} s`;
      return `${moment}: ${said.join(", ")}`;
    }

    leave() {
      if (this.group.classList.contains("playing")) return;
      this.cursorTime = null;
      for (const channel of this.channels) channel.cursor.hidden = channel.value.hidden = true;
      for (const still of this.stills) still.cursor.hidden = true;
    }

    key(event) {
      if (event.target !== this.group || event.ctrlKey || event.metaKey || event.altKey) return;
      const length = this.end - this.begin;
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (by && event.shiftKey) this.pan(0.25 * by);
      else if (by) {
        const time = (this.cursorTime ?? (this.begin + this.end) / 2) + (by * length) / 200;
        const within = Math.min(Math.max(time, this.begin), this.end);
        this.spoken.textContent = this.point(within);
        this.move(within, true);
      } else if (event.key === "+" || event.key === "=") this.zoom(1 / STEP);
      else if (event.key === "-" || event.key === "_") this.zoom(STEP);
      else if (event.key === "Home") this.show(...this.first);
      else return;
      event.preventDefault();
      event.stopPropagation();
    }

    // Mouse, pen and fingers: move to read, drag to zoom in, with Shift or on glass to pan, two fingers or the wheel to zoom.
    listen(channel) {
      const surface = channel.surface;
      const fingers = new Map();
      let from = null;
      const place = (event) => event.clientX - surface.getBoundingClientRect().left;
      surface.addEventListener("pointermove", (event) => {
        const box = channel.box();
        const x = place(event);
        if (fingers.has(event.pointerId) && fingers.size === 2) this.pinch(fingers, event.pointerId, x, box);
        else if (from && from.pans) this.show(from.begin - this.shift(x - from.x, box), from.end - this.shift(x - from.x, box));
        else if (from) for (const one of this.channels) one.choose(from.x, Math.min(Math.max(x, box.left), box.right), box);
        if (fingers.has(event.pointerId)) fingers.set(event.pointerId, x);
        if (x >= box.left && x <= box.right) this.move(this.timeAt(x, box));
      });
      surface.addEventListener("pointerleave", () => this.leave());
      surface.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        surface.setPointerCapture(event.pointerId);
        const box = channel.box();
        const x = Math.min(Math.max(place(event), box.left), box.right);
        fingers.set(event.pointerId, x);
        const pans = event.shiftKey || event.pointerType === "touch";
        from = fingers.size === 1 ? { x, pans, begin: this.begin, end: this.end } : null;
        this.group.focus({ preventScroll: true });
        event.preventDefault();
      });
      const up = (event) => {
        fingers.delete(event.pointerId);
        for (const one of this.channels) one.chosen.hidden = true;
        if (!from || from.pans || event.type === "pointercancel") {
          from = null;
          return;
        }
        const box = channel.box();
        const x = Math.min(Math.max(place(event), box.left), box.right);
        const [begin, end] = [Math.min(from.x, x), Math.max(from.x, x)];
        from = null;
        if (end - begin >= 4) this.show(this.timeAt(begin, box), this.timeAt(end, box));
        else this.move(this.timeAt(x, box), true);
      };
      surface.addEventListener("pointerup", up);
      surface.addEventListener("pointercancel", up);
      surface.addEventListener("dblclick", () => this.show(...this.first));
      surface.addEventListener(
        "wheel",
        (event) => {
          // A page that is scrolled through must not zoom under the pointer: only where somebody works in the plots.
          if (!event.ctrlKey && document.activeElement !== this.group) return;
          event.preventDefault();
          const box = channel.box();
          if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
            this.pan((event.deltaX || event.deltaY) / 800);
          } else this.zoom(Math.exp(Math.max(-300, Math.min(300, event.deltaY)) / 400), this.timeAt(place(event), box));
        },
        { passive: false },
      );
    }

    shift(pixels, box) {
      return (pixels / (box.right - box.left)) * (this.end - this.begin);
    }

    pinch(fingers, moved, x, box) {
      const [other] = [...fingers].filter(([id]) => id !== moved).map(([, place]) => place);
      const before = Math.abs(fingers.get(moved) - other);
      const after = Math.abs(x - other);
      if (before > 8 && after > 8) this.zoom(before / after, this.timeAt((x + other) / 2, box));
    }

    dragWhole(event) {
      const box = this.whole.getBoundingClientRect();
      const length = this.end - this.begin;
      const move = (now) => {
        const middle = ((now.clientX - box.left) / box.width) * this.duration;
        const begin = Math.min(Math.max(0, middle - length / 2), this.duration - length);
        this.show(begin, begin + length);
      };
      this.whole.setPointerCapture(event.pointerId);
      this.whole.onpointermove = move;
      this.whole.onpointerup = this.whole.onpointercancel = () => (this.whole.onpointermove = null);
      move(event);
    }
  }

  for (const group of document.querySelectorAll(".plots")) {
    const figures = [...group.querySelectorAll(".panel[data-levels]")];
    if (figures.length) new Plots(group, figures);
  }
})();

"use strict";
// Values under the pointer, one cursor over all charts, series that can be hidden, and a part of the time larger.
(() => {
  const told = JSON.parse(document.getElementById("figures").textContent);
  const {end, steps, span, left, wide, plot: plotWide, high} = told;
  let from = 0, to = end, begun = null;
  const clock = s => {
    s = Math.max(0, Math.floor(s));
    const h = Math.floor(s / 3600), two = n => String(n).padStart(2, "0");
    return (h ? h + ":" : "") + two(Math.floor(s % 3600 / 60)) + ":" + two(s % 60);
  };
  const duration = v => v < 1 ? (v * 1000).toFixed(0) + "µs" : v < 10 ? v.toFixed(2) + "ms" :
    v < 1000 ? v.toFixed(0) + "ms" : v < 10000 ? (v / 1000).toFixed(2) + "s" : (v / 1000).toFixed(1) + "s";
  const words = (v, unit) => v === null ? "-" : unit === "ms" ? duration(v) : +v.toPrecision(4) + unit;
  const charts = [...document.querySelectorAll("figure.chart")].map(figure => ({
    figure, svg: figure.querySelector("svg"), plot: figure.querySelector("svg.plot"),
    axis: figure.querySelector("g.x"), cursor: figure.querySelector(".cursor"),
    chosen: figure.querySelector(".chosen"), data: told.charts[figure.dataset.chart],
  }));
  const tip = document.getElementById("tip"), whole = document.getElementById("whole");
  const x = t => t / end * span;
  const timeAt = (chart, event) => {
    const box = chart.svg.getBoundingClientRect();
    const part = ((event.clientX - box.left) / box.width * wide - left) / plotWide;
    return from + Math.min(1, Math.max(0, part)) * (to - from);
  };
  const nearest = (times, t) => {
    let low = 0, up = times.length - 1;
    while (low < up) {
      const middle = (low + up) >> 1;
      if (times[middle] < t) low = middle + 1; else up = middle;
    }
    return low && t - times[low - 1] < times[low] - t ? low - 1 : low;
  };
  const show = () => {
    const step = steps.find(s => s / (to - from) * plotWide >= 80) || steps[steps.length - 1];
    for (const chart of charts) {
      chart.plot.setAttribute("viewBox", `${x(from)} 0 ${x(to - from)} 1000`);
      chart.axis.replaceChildren();
      for (let t = Math.ceil(from / step) * step; t <= to; t += step) {
        const label = document.createElementNS("http://www.w3.org/2000/svg", "text");
        label.setAttribute("x", left + (t - from) / (to - from) * plotWide);
        label.setAttribute("y", high - 8);
        label.setAttribute("text-anchor", "middle");
        label.textContent = clock(t);
        chart.axis.append(label);
      }
    }
    whole.hidden = from === 0 && to === end;
  };
  const point = (chart, event) => {
    const t = timeAt(chart, event);
    for (const each of charts) {
      each.cursor.setAttribute("x1", x(t));
      each.cursor.setAttribute("x2", x(t));
      each.cursor.classList.add("on");
      if (begun !== null) {
        each.chosen.setAttribute("x", x(Math.min(begun, t)));
        each.chosen.setAttribute("width", x(Math.abs(begun - t)));
      }
    }
    let text = clock(t);
    if (chart.data && chart.data.t.length) {
      const at = nearest(chart.data.t, t);
      text = clock(chart.data.t[at]);
      chart.data.names.forEach((name, i) => { text += `\n${name}  ${words(chart.data.v[i][at], chart.data.unit)}`; });
    }
    tip.textContent = text;
    tip.hidden = false;
    tip.style.left = Math.min(event.clientX + 16, innerWidth - tip.offsetWidth - 8) + "px";
    tip.style.top = Math.min(event.clientY + 16, innerHeight - tip.offsetHeight - 8) + "px";
  };
  const leave = () => {
    tip.hidden = true;
    charts.forEach(each => each.cursor.classList.remove("on"));
  };
  const reset = () => { from = 0; to = end; show(); };
  for (const chart of charts) {
    chart.svg.addEventListener("pointermove", event => point(chart, event));
    chart.svg.addEventListener("pointerleave", leave);
    chart.svg.addEventListener("pointerdown", event => { begun = timeAt(chart, event); event.preventDefault(); });
    chart.svg.addEventListener("dblclick", reset);
    for (const key of chart.figure.querySelectorAll("button.key")) {
      key.addEventListener("click", () => {
        const on = key.getAttribute("aria-pressed") !== "true";
        key.setAttribute("aria-pressed", on);
        chart.plot.querySelector(`[data-series="${key.dataset.series}"]`).classList.toggle("off", !on);
      });
    }
    chart.svg.addEventListener("pointerup", event => {
      const t = timeAt(chart, event);
      if (begun !== null && Math.abs(t - begun) > (to - from) / 100) {
        [from, to] = [Math.min(begun, t), Math.max(begun, t)];
        show();
      }
    });
  }
  addEventListener("pointerup", () => {
    begun = null;
    charts.forEach(each => each.chosen.setAttribute("width", 0));
  });
  addEventListener("keydown", event => { if (event.key === "Escape") reset(); });
  whole.addEventListener("click", reset);
  document.body.classList.add("live");
})();

// Draws the curves of the last hour and keeps them fresh. Each <figure data-curve="a,b"> becomes one chart.
"use strict";
(() => {
  const PLACE = "/overview/curves", EVERY = 5000, HEIGHT = 170;
  const figures = [...document.querySelectorAll("figure[data-curve]")];
  const colour = (number) => getComputedStyle(document.documentElement).getPropertyValue(`--curve-${number}`).trim();
  const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const inner = (figure) => figure.clientWidth - 32;
  const clock = new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const charts = new Map();

  const drawn = (figure, data) => {
    const names = (figure.dataset.names ?? figure.dataset.curve).split(",");
    const axis = { stroke: ink("--soft"), grid: { stroke: ink("--line"), width: 1 }, ticks: { stroke: ink("--line") } };
    const values = (_, found) => found.map((value) => `${value}${figure.dataset.unit}`);
    return new uPlot({
      width: inner(figure), height: HEIGHT,
      axes: [{ ...axis, values: (_, found) => found.map((at) => clock.format(at * 1000)) }, { ...axis, size: 64, values }],
      scales: { y: { range: (_, __, most) => [0, most > 0 ? most * 1.1 : 1] } },
      series: [{ value: (_, at) => (at == null ? "–" : clock.format(at * 1000)), label: "" }, ...names.map((name, place) => ({
        label: name, stroke: colour(place + 1), width: 2, spanGaps: false, points: { show: false },
      }))],
      legend: { show: names.length > 1 },
    }, data, figure);
  };

  const draw = async () => {
    const answer = await fetch(PLACE, { headers: { Accept: "application/json" } });
    if (!answer.ok) return;
    const curves = await answer.json();
    for (const figure of figures) {
      const data = [curves.at, ...figure.dataset.curve.split(",").map((name) => curves[name])];
      const chart = charts.get(figure);
      if (chart) chart.setData(data); else charts.set(figure, drawn(figure, data));
    }
  };

  const again = () => draw().catch(() => {}).finally(() => setTimeout(again, EVERY));
  addEventListener("resize", () => charts.forEach((chart, figure) => chart.setSize({ width: inner(figure), height: HEIGHT })));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    charts.forEach((chart) => chart.destroy());
    charts.clear();
    draw();
  });
  again();
})();

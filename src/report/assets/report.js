// Draws the charts of the report. The data is the JSON of #chart-data, nothing is fetched.
"use strict";
(() => {
    const data = JSON.parse(document.getElementById("chart-data").textContent);
    const drawn = [];
    const number = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
    const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
    const show = (unit, format) => (_plot, value) => {
        if (value === null || value === undefined) {
            return "–";
        }
        const text = (format || number).format(Math.abs(value));
        // What rounds to nothing has no sign.
        return (value < 0 && /[1-9]/.test(text) ? "-" : "") + (unit === "$" ? "$" + text : text + unit);
    };
    // In a legend: the value under the pointer, else the last one.
    const latest = (text) => (plot, value, series) =>
        text(plot, value ?? (plot.data ? plot.data[series].at(-1) : null));
    const day = latest((_plot, seconds) =>
        (seconds === null ? "–" : new Date(seconds * 1000).toISOString().slice(0, 10)));
    // Decimals that a multiple of `step` needs: 2.5 one, 0.25 two.
    const digitsOf = (step) => [0, 1, 2, 3, 4].find((digits) =>
        Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) < 1e-6) ?? 4;
    // Percent and counts on an axis: with as many decimals as its steps need.
    const ticks = (unit) => (_plot, values, _axis, _space, step) => {
        const digits = digitsOf(step);
        const format = new Intl.NumberFormat("en-US", { maximumFractionDigits: digits });
        return values.map((value) => show(unit, format)(null, value));
    };
    // Dollars on an axis, as short as its steps allow: "$25k", "$1.5M", "$100,000,250".
    const dollarTicks = (_plot, values, _axis, _space, step) => {
        const largest = Math.max(...values.map((value) => Math.abs(value ?? 0)));
        const [size, letter] = [[1e9, "B"], [1e6, "M"], [1e3, "k"], [1, ""]].find(
            ([unit]) => unit === 1 || (largest >= unit && step >= unit / 100 && largest >= 1e4));
        const digits = digitsOf(step / size);
        const format = new Intl.NumberFormat("en-US", { maximumFractionDigits: digits });
        return values.map((value) => (value === null ? "" : (value < 0 ? "-$" : "$") +
            format.format(Math.abs(value) / size) + (value === 0 ? "" : letter)));
    };
    // Room for the longest label, and the same for charts that stand below each other.
    const leastRoom = 56;
    const room = (_plot, values) =>
        Math.max(leastRoom, 18 + 6.4 * Math.max(0, ...(values || []).map((text) => text.length)));

    function colours() {
        const style = getComputedStyle(document.documentElement);
        const of = (name) => style.getPropertyValue(name).trim();
        const soft = of("--accent-soft");
        return {
            text: of("--quiet"), line: of("--line"), accent: of("--accent"), gain: of("--gain"),
            loss: of("--loss"), fill: (alpha) => `rgb(${soft} / ${alpha})`,
            lossFill: `rgb(${of("--loss-rgb")} / 0.25)`,
        };
    }

    // "17 Jan", months and years in wider views; the year once below.
    const below = (format, widest) => [widest, format, "\n{YYYY}", null, null, null, null, null, 1];
    const dayLabels = [
        [365 * 86400, "{YYYY}", null, null, null, null, null, null, 1],
        below("{MMM}", 28 * 86400), below("{D} {MMM}", 86400),
    ];
    const days = (colour) => axis(colour, { values: dayLabels, space: 60 });
    // One day alone would be stretched over years.
    const dayRange = (plot, first, last) => {
        const only = plot.data[0].at(-1);
        return plot.data[0][0] === only ? [only - 15 * 86400, only + 15 * 86400] : [first, last];
    };

    function axis(colour, more) {
        return Object.assign({
            stroke: colour.text, font: "11px system-ui, sans-serif",
            grid: { stroke: colour.line, width: 1 }, ticks: { stroke: colour.line, width: 1 },
        }, more);
    }

    // What its legend, of one line or more, leaves of the element for a chart.
    function sizeOf(place) {
        const legend = place.querySelector(".u-legend");
        return { width: Math.max(240, place.clientWidth),
            height: Math.max(120, place.clientHeight - (legend ? legend.offsetHeight + 4 : 0)) };
    }

    // One chart in the element `id`, as wide as the page lets it be.
    function draw(id, columns, options) {
        const place = document.getElementById(id);
        if (!place || columns[0].length === 0) {
            return;
        }
        const plot = new uPlot(Object.assign({
            ...sizeOf(place),
            tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
            cursor: { drag: { x: true, y: false } },
        }, options, { legend: { show: options.legend !== false, live: true } }), columns, place);
        plot.setSize(sizeOf(place));
        drawn.push({ plot, place });
        place.dataset.points = String(columns[0].length);
        return plot;
    }

    function money(colour) {
        return axis(colour, { size: room, values: dollarTicks });
    }
    // `like`: a chart above, whose days this one's should stand below.
    function share(colour, like) {
        return axis(colour, {
            size: (plot, values) => Math.max(room(plot, values), like ? like.axes[1]._size : 0),
            values: ticks(" %"),
        });
    }
    const low = (labels) => Object.assign(labels, { space: 22 });
    const few = (columns) => ({ show: columns[0].length < 3 });

    function drawEquity(colour) {
        const equity = draw("chart-equity", data.equity, {
            scales: { x: { range: dayRange } },
            axes: [days(colour), money(colour)],
            series: [{ label: "Day", value: day },
                { label: "Equity", stroke: colour.accent, width: 1.5, fill: colour.fill(0.08),
                    value: latest(show("$", whole)), points: few(data.equity) },
                { label: "Highest", stroke: colour.text, width: 1, dash: [4, 4],
                    value: latest(show("$", whole)), points: { show: false } }],
        });
        draw("chart-drawdown", data.drawdown, {
            legend: false,
            scales: { x: { range: dayRange },
                y: { range: (_plot, deepest) => [Math.min(1.05 * deepest, -1), 0] } },
            axes: [days(colour), low(share(colour, equity))],
            series: [{ label: "Day" },
                { label: "Drawdown", stroke: colour.loss, width: 1, fill: colour.lossFill,
                    value: show(" %"), points: { show: false } }],
        });
    }

    // Steps of whole trades: 1, 2, 5, 10 and so on.
    const counts = [0, 1, 2, 3, 4, 5, 6].flatMap((zeros) => [1, 2, 5].map((n) => n * 10 ** zeros));

    function drawDistribution(colour) {
        const [from, to, count] = data.distribution;
        const middle = from.map((start, i) => start / 2 + to[i] / 2);
        const bars = uPlot.paths.bars({ size: [0.85, Infinity] });
        const half = (won) => count.map((n, i) => ((middle[i] >= 0) === won ? n : null));
        const series = (label, stroke, values) => ({
            label, stroke, fill: stroke, width: 0, paths: bars, points: { show: false },
            value: show(" trades", whole), values,
        });
        draw("chart-distribution", [middle, half(false), half(true)], {
            // Whole bars at both ends, unless a part was chosen.
            scales: { x: { time: false, range: (_plot, low, high) =>
                (low === middle[0] && high === middle.at(-1) ? [from[0], to.at(-1)]
                    : [low, high]) } },
            axes: [axis(colour, { values: dollarTicks, space: 70 }),
                axis(colour, { size: 46, incrs: counts })],
            series: [{ label: "About", value: show("$", whole) }, series("Losing", colour.loss),
                series("Winning", colour.gain)],
        });
    }

    function drawRolling(colour) {
        const [time, winRate, average] = data.rolling;
        const winRates = draw("chart-winrate", [time, winRate], {
            legend: false, scales: { x: { range: dayRange } },
            axes: [days(colour), low(share(colour))],
            series: [{}, { label: "Win rate", stroke: colour.accent, width: 1.5,
                points: { show: false } }],
        });
        draw("chart-average", [time, average], {
            legend: false, scales: { x: { range: dayRange } },
            axes: [days(colour), low(Object.assign(money(colour), {
                size: (plot, values) =>
                    Math.max(room(plot, values), winRates ? winRates.axes[1]._size : 0),
            }))],
            series: [{}, { label: "Average", stroke: colour.accent, width: 1.5,
                points: { show: false } }],
        });
    }

    function drawFan(colour) {
        const start = (values) => [0].concat(values);
        const percent = (values) => values.map((value) => (value === null ? null : 100 * value));
        const line = (label, width, alpha) => ({
            label, width, stroke: width > 1 ? colour.accent : colour.fill(alpha),
            value: latest(show(" %")), points: { show: false },
        });
        const columns = data.fan.map((values, i) => start(i === 0 ? values : percent(values)));
        draw("chart-fan", columns, {
            scales: { x: { time: false } },
            axes: [axis(colour), share(colour)],
            series: [{ label: "Trade", value: latest(show("", whole)) }, line("95%", 1, 0.5),
                line("75%", 1, 0.7), line("50%", 2, 1), line("25%", 1, 0.7),
                line("5%", 1, 0.5)],
            bands: [{ series: [1, 5], fill: colour.fill(0.14) },
                { series: [2, 4], fill: colour.fill(0.22) }],
        });
    }

    function drawAll() {
        for (const { plot } of drawn.splice(0)) {
            plot.destroy();
        }
        const colour = colours();
        if (data.equity) {
            drawEquity(colour);
            drawDistribution(colour);
            drawRolling(colour);
        }
        if (data.fan) {
            drawFan(colour);
        }
        document.documentElement.dataset.charts = String(drawn.length);
    }

    // A table wider than its box says so.
    function markCut() {
        for (const box of document.querySelectorAll(".scroll")) {
            box.parentElement.classList.toggle("cut", box.scrollWidth > box.clientWidth + 1);
        }
    }

    let waiting = 0;
    function fit() {
        cancelAnimationFrame(waiting);
        waiting = requestAnimationFrame(() => {
            for (const { plot, place } of drawn) {
                plot.setSize(sizeOf(place));
            }
            markCut();
        });
    }

    drawAll();
    fit();
    addEventListener("resize", fit);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
    // Paper has its own colours and width.
    matchMedia("print").addEventListener("change", drawAll);
})();

"""Tables and plot of `make bench-peers`, from its Parquet file into docs/ and README.md.

python benches/peers/peers_page.py docs/performance.parquet   # write them anew
"""

import argparse
import re
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import polars as pl
from workload import SIZES

ROOT = Path(__file__).parent.parent.parent
PAGE, PLOT, README = ROOT / "docs/performance.md", ROOT / "docs/performance.png", ROOT / "README.md"
RESULTS = ROOT / "docs/performance.parquet"
#: Bytes that a visit of a plastic synapse reads and writes: target, weight, two traces and four
#: constants; weight and traces. Of one that is not plastic: target and weight.
READ, WRITTEN, PLAIN = 30, 12, 6
MODES = {"run": "no plasticity", "stdp": "STDP, four constants for each synapse"}
COLOURS = {
    "hrsnn_rs": "#d1495b",
    "numba": "#e3a300",
    "NEST": "#2e7d32",
    "Brian2": "#1f77b4",
    "Brian2-cython": "#7fb2d9",
    "BindsNET": "#7b4fa3",
    "Auryn (homogeneous)": "#00868b",
}
#: A size without the rate that it was drawn for.
SIZE = pl.col("size").str.split("-").list.first()


def medians(results: pl.DataFrame) -> pl.DataFrame:
    """Median, least and greatest ns/event of each simulator, size, mode and number of threads."""
    runs = results.filter(pl.col("wall").is_not_null()).with_columns(
        ns=1e9 * pl.col("wall") / pl.col("n_synaptic_events"),
        size=SIZE,
    )
    by_threads = runs.group_by("size", "mode", "simulator", "threads").agg(
        pl.len().alias("rounds"),
        pl.col("ns").median(),
        pl.col("ns").min().alias("least"),
        pl.col("ns").max().alias("greatest"),
        pl.col("n_spikes", "n_synaptic_events", "rate").first(),
        pl.col("compile_wall", "network_memory", "peak_memory").max(),
    )
    order = {name: i for i, name in enumerate([*SIZES, *MODES, *COLOURS])}
    keys = ("size", "mode", "simulator")
    return by_threads.sort(
        *(pl.col(key).replace_strict(order, return_dtype=pl.Int64) for key in keys), "threads"
    )


def best(results: pl.DataFrame) -> pl.DataFrame:
    """`medians`, with the better number of threads alone, and how many times ours that is."""
    rows = medians(results)
    rows = rows.filter(pl.col("ns") == pl.col("ns").min().over("size", "mode", "simulator"))
    ours = rows.filter(pl.col("simulator") == "hrsnn_rs").select("size", "mode", ours="ns")
    joined = rows.join(ours, on=["size", "mode"], how="left", maintain_order="left")
    return joined.with_columns(ratio=pl.col("ns") / pl.col("ours"))


def bounds(results: pl.DataFrame) -> pl.DataFrame:
    """ns/event that copying the synapses would take, from the bandwidth measured beside."""
    copies = results.filter(pl.col("simulator") == "copy").with_columns(size=SIZE)
    moved = pl.when(pl.col("mode") == "stdp").then(READ + WRITTEN).otherwise(PLAIN)
    return (
        copies.group_by("size", "mode", "threads")
        .agg(pl.col("copy_gb_per_s").median())
        .with_columns(bound=moved / pl.col("copy_gb_per_s"))
    )


def short(figure: float) -> str:
    """Three digits, and never an exponent."""
    return f"{figure:.0f}" if figure >= 100.0 else f"{figure:.3g}"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def speed_table(results: pl.DataFrame, mode: str) -> str:
    """ns/event: one row for each simulator and number of threads, one column for each size."""
    rows = medians(results).filter(pl.col("mode") == mode)
    sizes = rows["size"].unique(maintain_order=True).to_list()
    cells = {(r["simulator"], r["threads"], r["size"]): r for r in rows.to_dicts()}
    who = sorted(
        {(s, t) for s, t, _ in cells}, key=lambda key: (list(COLOURS).index(key[0]), key[1])
    )
    body = []
    for name, threads in who:
        found = [cells.get((name, threads, size)) for size in sizes]
        shown = [
            f"{short(r['ns'])} ({short(r['least'])}–{short(r['greatest'])})" if r else "–"
            for r in found
        ]
        body.append([name, str(threads), *shown])
    limit = {
        (r["threads"], r["size"]): r["bound"]
        for r in bounds(results).filter(pl.col("mode") == mode).to_dicts()
    }
    for threads in (1, 2):
        shown = [f"{limit[threads, size]:.2g}" for size in sizes if (threads, size) in limit]
        if len(shown) == len(sizes):
            body.append([f"*copying {READ + WRITTEN if mode == 'stdp' else PLAIN} B*",
                         str(threads), *shown])  # fmt: skip
    return markdown(["simulator", "threads", *sizes], body)


def ratio_table(results: pl.DataFrame) -> str:
    """How many times as long as hrsnn_rs the others take, each at its better number of threads."""
    rows = best(results)
    columns = list(dict.fromkeys(zip(rows["size"], rows["mode"], strict=True)))
    cells = {(r["simulator"], r["size"], r["mode"]): r for r in rows.to_dicts()}
    body = [
        [name]
        + [
            short(cells[name, *column]["ratio"]) if (name, *column) in cells else "–"
            for column in columns
        ]
        for name in COLOURS
        if name in set(rows["simulator"])
    ]
    return markdown(["", *(f"{size} {mode}" for size, mode in columns)], body)


def work_table(results: pl.DataFrame) -> str:
    """What was done: spikes, events, memory, compilation."""
    body = [
        [
            f"{r['size']} {r['mode']}", r["simulator"], f"{r['n_spikes']:,}", f"{r['rate']:.2f}",
            f"{r['n_synaptic_events']:,}", f"{r['network_memory']:,.0f}",
            f"{r['compile_wall']:.0f}" if r["compile_wall"] else "–",
        ]
        for r in best(results).to_dicts()
    ]  # fmt: skip
    header = ["workload", "simulator", "spikes", "rate (Hz)", "events", "MB", "compiling (s)"]
    return markdown(header, body)


def measured(results: pl.DataFrame) -> str:
    """Where and when each size was measured, and in how many rounds."""
    where = results.select(SIZE, "machine", "commit").unique("size")
    rounds = medians(results).group_by("size", maintain_order=True).agg(pl.col("rounds").max())
    sizes: dict[tuple, list[str]] = {}
    for row in rounds.join(where, on="size", maintain_order="left").to_dicts():
        sizes.setdefault((row["rounds"], row["machine"], row["commit"]), []).append(row["size"])
    alike = [
        f"{', '.join(names)}: {n} rounds on {machine}, commit {commit}"
        for (n, machine, commit), names in sizes.items()
    ]
    return f"Medians of interleaved rounds (least–greatest). {'; '.join(alike)}."


def tables(results: pl.DataFrame) -> str:
    """All of it, as Markdown."""
    parts = [
        measured(results),
        *(
            f"**{words}, ns/event**\n\n{speed_table(results, mode)}"
            for mode, words in MODES.items()
            if mode in set(results["mode"])
        ),
        f"**Times as long as hrsnn_rs** (better of 1 and 2 threads)\n\n{ratio_table(results)}",
        f"**The work**\n\n{work_table(results)}",
    ]
    failures = results.filter(pl.col("failure").is_not_null())
    for row in failures.unique(["size", "mode", "simulator", "threads"]).to_dicts():
        size = row["size"].split("-")[0]
        parts.append(
            f"No figure: {row['simulator']}, {size} {row['mode']}, {row['threads']} thread(s):"
            f" {row['failure']}."
        )
    return "\n\n".join(parts)


def plot(results: pl.DataFrame, path: Path = PLOT) -> None:
    """ns/event against size, one line for each simulator."""
    rows = best(results)
    sizes = rows["size"].unique(maintain_order=True).to_list()
    modes = [mode for mode in MODES if mode in set(rows["mode"])]
    mpl.use("Agg")
    figure, axes = plt.subplots(
        1, len(modes), figsize=(4.6 * len(modes), 4.0), sharey=True, squeeze=False
    )
    for axis, mode in zip(axes[0], modes, strict=True):
        for name, colour in COLOURS.items():
            mine = rows.filter((pl.col("mode") == mode) & (pl.col("simulator") == name))
            if mine.height:
                at = [sizes.index(size) for size in mine["size"]]
                axis.plot(at, mine["ns"], "o-", color=colour, label=name)
        axis.set_xticks(range(len(sizes)), [f"{size}\n{SIZES[size][0]:,}" for size in sizes])
        axis.set(title=MODES[mode], xlabel="neurons", yscale="log")
        axis.grid(axis="y", alpha=0.3)
    axes[0][0].set_ylabel("ns per synaptic event")
    handles, names = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, names, loc="lower center", ncols=len(names), frameon=False)
    figure.tight_layout(rect=(0.0, 0.07, 1.0, 1.0))
    figure.savefig(path, dpi=130, metadata={"Software": None})
    plt.close(figure)


def replaced(text: str, name: str, inside: str) -> str:
    """`text` with `inside` between the markers called `name`."""
    pattern = rf"(<!-- {name}: begin[^\n]*-->\n).*?(<!-- {name}: end -->)"
    new, count = re.subn(pattern, lambda m: f"{m[1]}\n{inside}\n\n{m[2]}", text, flags=re.DOTALL)
    if count != 1:
        raise ValueError(f"There must be one pair of markers {name!r}; found {count}.")
    return new


def write(results: pl.DataFrame) -> None:
    """Write the tables and the plot to where readers look for them."""
    plot(results)
    PAGE.write_text(replaced(PAGE.read_text(), "bench-peers", tables(results)))
    README.write_text(replaced(README.read_text(), "bench-peers", ratio_table(results)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results", type=Path)
    write(pl.read_parquet(parser.parse_args().results))


if __name__ == "__main__":
    main()

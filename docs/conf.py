"""How the site is built. `make site` copies docs/ and the pages of the root into one folder first.

Pages of the API are written here from the wings' `__all__`, so that no public name can be missing.
"""

import importlib
import inspect
import os
import re
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).parent
ROOT = Path(os.environ["HRSNN_ROOT"])
REPOSITORY = "https://github.com/hrsnn-rs/hrsnn_rs"
#: As in ARCHITECTURE.md, the lowest first: from what goes in to the page that comes out.
WINGS = (
    "events",
    "description",
    "network",
    "encoding",
    "learning",
    "search",
    "plotting",
    "report",
    "datasets",
    "recordings",
    "made_up",
    "errors",
)

sys.path.insert(0, str(ROOT / "python"))
import hrsnn_rs  # noqa: E402
from docutils import nodes  # noqa: E402
from latex2mathml.converter import convert  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from sphinx_gallery.scrapers import figure_rst, matplotlib_scraper  # noqa: E402

project = "hrsnn_rs"
author = "The hrsnn_rs authors"
project_copyright = author
version = release = hrsnn_rs.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "sphinx_design",
    "sphinx_copybutton",
]
source_suffix = {".rst": "restructuredtext", ".md": "markdown"}
exclude_patterns = ["templates", "gallery/**/*.ipynb", "gallery/**/*.py", "gallery/**/*.zip"]
nitpicky = False
default_role = "py:obj"
add_module_names = False

html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # sphinx-gallery's order of examples is a function

templates_path = ["templates"]
html_theme = "furo"
html_title = f"hrsnn_rs {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_favicon = "static/favicon.svg"
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
    "footer_icons": [],
}
html_show_sourcelink = False
copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
# Of inherited members those of our own classes; what scikit-learn and Python give is known.
autodoc_default_options = {
    "members": True,
    "inherited-members": "BaseEstimator,ClassifierMixin,TransformerMixin,object,tuple,Exception",
    "exclude-members": ",".join(
        (
            *(f"set_{name}_request" for name in ("fit", "score", "predict", "transform")),
            *("set_predict_proba_request", "set_decision_function_request", "set_output"),
            *("get_metadata_routing", "with_traceback"),
        )
    ),
}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def scrape_figures(block: object, block_vars: dict, gallery_conf: dict) -> str:
    """Show the figures of `hrsnn_rs.plotting`, which pyplot knows nothing of."""
    shown = block_vars.setdefault("shown_figures", set())
    paths = []
    for value in block_vars["example_globals"].values():
        if isinstance(value, Figure) and not hasattr(value, "number") and id(value) not in shown:
            shown.add(id(value))
            paths.append(next(block_vars["image_path_iterator"]))
            value.savefig(paths[-1], dpi=100, bbox_inches="tight")
    return within(figure_rst(paths, gallery_conf["src_dir"]))


def scrape_pyplot(block: object, block_vars: dict, gallery_conf: dict) -> str:
    """Show the figures of pyplot."""
    return within(matplotlib_scraper(block, block_vars, gallery_conf))


def within(images: str) -> str:
    """Put images into what a narrow screen scrolls, in place of shrinking them."""
    return f".. container:: wide\n\n{textwrap.indent(images, '   ')}\n" if images else ""


sphinx_gallery_conf = {
    "image_scrapers": (scrape_pyplot, scrape_figures),
    "capture_repr": (),
    "examples_dirs": str(ROOT / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"\.py$",
    "ignore_pattern": r"compare_encoders\.py$",  # its pictures are on the page of encoders
    "within_subsection_order": "ExampleTitleSortKey",
    "download_all_examples": False,
    "abort_on_example_error": True,
    "min_reported_time": 0,
    "show_memory": False,
    "show_signature": False,
    "thumbnail_size": (480, 240),
    "remove_config_comments": True,
    "plot_gallery": True,
}


def public_name(wing: str, name: str) -> str:
    """Where users find it: in the package itself, if it is there."""
    return f"hrsnn_rs.{name}" if name in hrsnn_rs.__all__ else f"hrsnn_rs.{wing}.{name}"


def write_api() -> None:
    """Write a page for each wing, with what its docstring says and all its public names."""
    folder = SOURCE / "api"
    folder.mkdir(exist_ok=True)
    for wing in WINGS:
        module = importlib.import_module(f"hrsnn_rs.{wing}")
        names = getattr(module, "__all__", None) or [
            name
            for name, value in vars(module).items()
            if inspect.isclass(value) and value.__module__ == module.__name__
        ]
        title = wing.replace("_", " ").capitalize()
        lines = [title, "=" * len(title), "", inspect.getdoc(module) or "", ""]
        kinds = {"Classes": [], "Functions": [], "Tables and constants": []}
        for name in names:
            value = getattr(module, name)
            kind = (
                "Classes"
                if inspect.isclass(value)
                else "Functions"
                if inspect.isroutine(value)
                else "Tables and constants"
            )
            kinds[kind].append(name)
        for kind, members in kinds.items():
            if not members:
                continue
            lines += [kind, "-" * len(kind), ""]
            if kind == "Tables and constants":
                for name in members:
                    lines += [f"``{name}``", f"    ``{getattr(module, name)!r}``", ""]
                continue
            lines += [".. autosummary::", "   :toctree: generated", "   :nosignatures:", ""]
            lines += [f"   ~{public_name(wing, name)}" for name in members] + [""]
        page = folder / f"{wing}.rst"
        text = "\n".join(lines)
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


def lead_out(app: object, docname: str, source: list[str]) -> None:
    """Let links of a page lead to pages of the site, or to files in the repository."""
    if not (SOURCE / f"{docname}.md").is_file():
        return

    def target(found: re.Match[str]) -> str:
        path, hash_, anchor = found[1].partition("#")
        if re.match(r"[a-z]+:", found[1]) or not path:
            return found[0]
        if path == "../examples/README.rst":
            return "](gallery/index.rst)"
        name = path.removeprefix("../").removeprefix("docs/")
        if (SOURCE / name).is_file():
            return f"]({name}{hash_}{anchor})"
        inside = path.removeprefix("../") if not path.startswith("docs/") else path
        if not (ROOT / inside).exists():
            raise ValueError(f"{docname}: no {path}")
        return f"]({REPOSITORY}/blob/main/{inside}{hash_}{anchor})"

    source[0] = re.sub(r"\]\(([^()\s]+)\)", target, source[0])


def keep_underscores(
    app: object, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Let names of fitted attributes in shapes, as `n_features_in_`, not be taken for links."""
    lines[:] = [re.sub(r"(?<![`\w])([a-z]\w*)_(?=[,)])", r"\1\_", line) for line in lines]


def write_inline(translator: object, node: nodes.math) -> None:
    """Write a formula as MathML, which browsers set themselves: pages need no script from afar."""
    translator.body.append(convert(node.astext()))  # type: ignore[attr-defined]
    raise nodes.SkipNode


def write_block(translator: object, node: nodes.math_block) -> None:
    """Write a displayed formula."""
    formula = convert(node.astext(), display="block")
    translator.body.append(f'<div class="math">{formula}</div>')  # type: ignore[attr-defined]
    raise nodes.SkipNode


def setup(app: object) -> None:
    """Tell Sphinx what is to be done."""
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))  # type: ignore[attr-defined]
    app.connect("autodoc-process-docstring", keep_underscores, priority=100)  # type: ignore[attr-defined]
    app.connect("source-read", lead_out)  # type: ignore[attr-defined]


write_api()

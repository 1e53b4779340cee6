"""The documentation site: `make docs` builds it into build/docs, and runs its notebooks."""

import os
import sys
from importlib import import_module
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # of XLA in the notebooks, before JAX is loaded
HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

project, author = "jaxflow", "The jaxflow developers"
release = import_module("jaxflow").__version__
project_copyright = "The jaxflow developers, Apache-2.0"
extensions = ["sphinx.ext.autodoc", "myst_nb", "site_pages"]
exclude_patterns = ["_*"]
nitpicky = True
nitpick_ignore_regex = [("py:.*", r"(?!jaxflow\.\w+$).*")]  # what is not public, and other packages

SHORT = [  # pages that leave their room to code
    page.relative_to(HERE).with_suffix("").as_posix()
    for folder in ("tutorials", "howto", "atlas")
    for page in (HERE / folder).glob("*.md")
]
html_theme = "pydata_sphinx_theme"
html_title = "jaxflow"
html_copy_source = html_show_sourcelink = False
html_theme_options = {
    "navbar_end": ["theme-switcher"],
    "footer_end": [],
    "secondary_sidebar_items": {"**": ["page-toc"], **dict.fromkeys(SHORT, ())},
    "show_prev_next": True,
    "header_links_before_dropdown": 6,
}
html_static_path, html_css_files = ["_static"], ["site.css"]
html_context = {"default_mode": "auto"}
html_sidebars = {page: [] for page in ("index", "start", "concepts")}  # of no section

autodoc_default_options = {"member-order": "bysource"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
maximum_signature_line_length = 90

myst_heading_anchors = 3
smartquotes = False
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 300  # seconds a cell
nb_merge_streams = True
nb_output_stderr = "remove"  # progress

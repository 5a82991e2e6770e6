"""A `Page` as HTML. Every text passes through jinja2's escaping; style and script are bpfgen's own."""

from __future__ import annotations

import os

from markupsafe import Markup

from bpfgen.outputs.report.page import Page
from bpfgen.outputs.texts import TEMPLATES, environment


def render(page: Page) -> str:
    """The whole file."""
    style, script = (_own(name) for name in ("style.css", "filter.js"))
    return environment(html=True).get_template("report/page.html.j2").render(page=page, style=style, script=script)


def _own(name: str) -> Markup:
    with open(os.path.join(TEMPLATES, "report", name), encoding="utf-8") as file:
        return Markup(file.read())  # noqa: S704 - a file of this package

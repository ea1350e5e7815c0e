"""Renders a page from its template."""

from importlib import resources
from typing import Any

from agegait.terminal.visible_text import visible


def render(package: str, template: str, **values: Any) -> str:
    """A page, in ASCII whatever people are called: neither a locale nor a name that is no Unicode stands in the way.

    Args:
        package: Where the template is; it extends `base.html` of this package.
        template: The name of its file.
        values: What stands on it. Of text, what would not be seen there is shown as an escape.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    places = {"base.html": "agegait.pages", "macros.html": "agegait.pages", template: package}
    texts = {name: resources.files(place).joinpath(name).read_text("utf-8") for name, place in places.items()}
    environment = Environment(
        loader=DictLoader(texts),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    page = environment.get_template(template).render(**values)
    return page.encode("ascii", "xmlcharrefreplace").decode()


def _shown(value: Any) -> Any:
    return visible(value) if type(value) is str else value  # the template's own is Markup, a kind of str

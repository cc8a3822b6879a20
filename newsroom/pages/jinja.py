"""The second template engine, for the conversation: what is rendered hundreds of times a page.

Why and how it is used: docs/decisions/0008.
"""

from django.utils.translation import gettext
from jinja2 import Environment, StrictUndefined

from newsroom.pages.slots import slot


def environment(**options) -> Environment:
    made = Environment(**options | {"undefined": StrictUndefined, "trim_blocks": True, "lstrip_blocks": True})
    made.globals |= {"_": gettext, "slot": slot}
    return made

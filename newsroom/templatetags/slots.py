"""`{% slot "name" %}...{% endslot %}`: what stands here may be another for one reader (newsroom.pages.slots)."""

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import Context

from newsroom.pages.slots import slot

register = template.Library()


class SlotNode(template.Node):
    def __init__(self, name: FilterExpression, nodelist: NodeList) -> None:
        self.name = name
        self.nodelist = nodelist

    def render(self, context: Context) -> str:
        content = self.nodelist.render(context)
        return slot(self.name.resolve(context), content) if context.get("for_everyone") else content


@register.tag("slot")
def do_slot(parser: Parser, token: Token) -> SlotNode:
    _tag, name = token.split_contents()
    nodelist = parser.parse(["endslot"])
    parser.delete_first_token()
    return SlotNode(parser.compile_filter(name), nodelist)

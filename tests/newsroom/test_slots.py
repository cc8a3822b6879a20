"""Pages for everyone with places for one reader."""

from django.template import Context, Template

from newsroom.pages.slots import Skeleton, slot


def test_what_is_not_given_stands_as_it_was():
    page = Skeleton.cut(f"<p>{slot('a', '<i>1</i>')}</p>{slot('b')}<p>{slot('c', '3')}")
    assert page.fill({}) == "<p><i>1</i></p><p>3"
    assert page.fill({"a": "eins", "b": "zwei", "c": "", "d": "?"}) == "<p>eins</p>zwei<p>"
    assert page.fill({}) == "<p><i>1</i></p><p>3"  # filling leaves the page as it is
    assert page.names == ["a", "b", "c"]


def test_one_slot_within_another():
    page = Skeleton.cut(slot("outer", f"({slot('inner', 'x')})"))
    assert [page.fill(given) for given in ({}, {"inner": "y"}, {"outer": "z"})] == ["(x)", "(y)", "z"]


def test_a_part_within_another_slot():
    page = Skeleton.cut(slot("outer", f"({slot('inner')})")).with_parts({"inner": f"[{slot('own', 'x')}]"})
    assert [page.fill(given) for given in ({}, {"own": "y"}, {"outer": "z"})] == ["([x])", "([y])", "z"]


def test_one_name_in_many_places():
    page = Skeleton.cut(f"{slot('token')}-{slot('token')}")
    assert page.fill({"token": "t"}) == "t-t"


def test_nobody_writes_a_slot():
    page = Skeleton.cut("<!--x a-->1<!--/x a--> <!-- a-->2<!--/ a-->")
    assert (page.names, page.fill({"a": "!"})) == ([], "<!--x a-->1<!--/x a--> <!-- a-->2<!--/ a-->")


def test_in_a_template_only_where_it_is_for_everyone():
    template = Template('{% load slots %}{% slot "who" %}{{ name }}{% endslot %}')
    assert template.render(Context({"name": "<b>"})) == "&lt;b&gt;"
    page = Skeleton.cut(template.render(Context({"name": "<b>", "for_everyone": True})))
    assert [page.fill({}), page.fill({"who": "Ada"})] == ["&lt;b&gt;", "Ada"]

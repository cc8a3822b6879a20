"""`a=1; b=2`: how DKIM and DMARC records are written (RFC 6376 3.2)."""


def tag(text: str, name: str) -> str | None:
    """Of a text that may be anything. No pattern: 60 kB of spaces took one ten seconds."""
    for part in text.split(";"):
        key, equals, value = part.partition("=")
        if equals and key.strip() == name:
            return value.strip()
    return None


def tags_of(text: str) -> dict[str, str]:
    """ValueError for a tag that is there twice, and for what is none."""
    if not text.isascii():
        raise ValueError(text)  # a space that only looks like one, say
    tags = {}
    for part in text.strip().removesuffix(";").split(";"):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not name or not equals or name in tags:
            raise ValueError(part)
        tags[name] = value
    return tags


def parts_of(value: str) -> set[str]:
    return {part.strip() for part in value.split(":")}

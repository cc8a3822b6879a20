from django.http import HttpRequest

from readers.device import reads_only


def shared_page(request: HttpRequest) -> dict:
    """`shared`: this page is the same bytes for everyone, so its forms carry no token and no key."""
    return {"shared": reads_only(request)}

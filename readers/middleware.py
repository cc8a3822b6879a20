from newsroom.middleware import Handler
from readers.device import write_cookie


def reader_of_request(get_response: Handler) -> Handler:
    """Writes the device's cookie after a request in which somebody acted for the first time, or signed in."""

    def middleware(request):
        response = get_response(request)
        write_cookie(request, response)
        return response

    return middleware

"""What is worth it is compressed, to a length that tells nothing."""

import gzip
import secrets

import pytest
from django.http import HttpRequest, HttpResponse

from newsroom.pages.compression import compressed, gzip_padded
from newsroom.staticstorage import ReadersFirst

PAGE = b"<p>Immer dieselben Worte, und dann noch einmal.</p>" * 20


def answer(content: bytes, accepts: str = "gzip, br", **headers: str) -> HttpResponse:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_ENCODING"] = accepts
    return compressed(lambda request: HttpResponse(content, headers=headers))(request)


def test_a_page_is_the_same_once_unpacked():
    made = answer(PAGE, ETag='"eins"')
    assert gzip.decompress(made.content) == PAGE
    assert len(made.content) < len(PAGE) / 3
    wanted = {"Content-Encoding": "gzip", "Content-Length": str(len(made.content)), "ETag": 'W/"eins"'}
    assert {name: made.headers[name] for name in wanted} == wanted
    assert made.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "content, accepts, headers",
    [
        (PAGE, "br", {}),
        (PAGE, "", {}),
        (PAGE[:199], "gzip", {}),
        (secrets.token_bytes(5000), "gzip", {}),
        (PAGE, "gzip", {"Content-Encoding": "br"}),
    ],
)
def test_what_is_not_worth_it_stays(content, accepts, headers):
    made = answer(content, accepts, ETag='"eins"', **headers)
    assert (made.content, made.headers["ETag"]) == (content, '"eins"')
    assert made.headers.get("Content-Encoding") == headers.get("Content-Encoding")


def test_the_length_tells_nothing():
    made = [gzip_padded(PAGE) for _ in range(200)]
    assert {gzip.decompress(one) for one in made} == {PAGE}
    lengths = {len(one) for one in made}
    assert len(lengths) > 40
    assert max(lengths) - min(lengths) < 100


@pytest.mark.parametrize("folder, made", [("", {".br", ".gz"}), ("admin", {".gz"})])
def test_files_for_readers_are_smallest(tmp_path, folder, made):
    file = tmp_path / folder / "a.css"
    file.parent.mkdir(exist_ok=True)
    file.write_text("body { color: black }\n" * 100)
    ReadersFirst(quiet=True).compress(str(file))
    assert {other.suffix for other in file.parent.iterdir()} == made | {".css"}

"""What is worth it is compressed, to a length that tells nothing."""

import gzip
import random
import secrets

import brotli
import pytest
from django.http import HttpRequest, HttpResponse

from newsroom.pages.compression import brotli_padded, compressed, gzip_padded
from newsroom.staticstorage import ReadersFirst

PAGE = b"<p>Immer dieselben Worte, und dann noch einmal.</p>" * 20


UNPACK = {"br": brotli.decompress, "gzip": gzip.decompress}


def answer(content: bytes, accepts: str, **headers: str) -> HttpResponse:
    request = HttpRequest()
    request.META["HTTP_ACCEPT_ENCODING"] = accepts
    return compressed(lambda request: HttpResponse(content, headers=headers))(request)


@pytest.mark.parametrize(
    "accepts, encoding",
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("br;q=0.5, gzip", "br"),
        ("br; q=0, gzip;q=1.0", "gzip"),
        ("BR;q=0.000,GZIP", "gzip"),
    ],
)
def test_a_page_is_the_same_once_unpacked(accepts, encoding):
    made = answer(PAGE, accepts, ETag='"eins"')
    assert UNPACK[encoding](made.content) == PAGE
    assert len(made.content) < len(PAGE) / 3
    wanted = {"Content-Encoding": encoding, "Content-Length": str(len(made.content)), "ETag": 'W/"eins"'}
    assert {name: made.headers[name] for name in wanted} == wanted
    assert made.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "content, accepts, headers",
    [
        (PAGE, "xbr, brotli, zstd", {}),
        (PAGE, "", {}),
        (PAGE, "br;q=0, gzip;q=0.0", {}),
        (PAGE, "br;\tq=0, gzip; q=0.0;x=1", {}),
        (PAGE, f"{'x' * 96},br;q=0", {}),  # not read to the end, and nothing made of half an entry
        (PAGE[:199], "gzip, br", {}),
        (secrets.token_bytes(5000), "gzip", {}),
        (secrets.token_bytes(5000), "br", {}),
        (PAGE, "gzip", {"Content-Encoding": "br"}),
    ],
)
def test_what_is_not_worth_it_stays(content, accepts, headers):
    made = answer(content, accepts, ETag='"eins"', **headers)
    assert (made.content, made.headers["ETag"]) == (content, '"eins"')
    assert made.headers.get("Content-Encoding") == headers.get("Content-Encoding")


def test_what_everyone_gets_is_packed_tighter():
    dice = random.Random(1)
    words = ["Brücke", "gesperrt", "Rathaus", "morgen", "Bürger", "Verkehr", "Antwort", "Kommentar"]
    page = " ".join(dice.choices(words, k=20_000)).encode()
    for_all, for_one = (answer(page, "br", **{"Cache-Control": kind}) for kind in ("public, no-cache", "private"))
    assert brotli.decompress(for_all.content) == brotli.decompress(for_one.content) == page
    assert len(for_all.content) < len(for_one.content) - 100  # more than a padding


def test_what_has_not_changed_varies_as_it_did():
    """Caches put the new headers to what they keep (RFC 9111, 3.2)."""
    request = HttpRequest()
    made = compressed(lambda request: HttpResponse(status=304, headers={"ETag": '"eins"', "Vary": "Cookie"}))(request)
    assert (made.headers["Vary"], made.headers["ETag"]) == ("Cookie, Accept-Encoding", 'W/"eins"')


@pytest.mark.parametrize("make, unpack", [(gzip_padded, gzip.decompress), (brotli_padded, brotli.decompress)])
def test_the_length_tells_nothing(make, unpack):
    made = [make(PAGE, True) for _ in range(400)]
    assert {unpack(one) for one in made} == {PAGE}
    lengths = {len(one) for one in made}
    assert len(lengths) > 80
    assert max(lengths) - min(lengths) < 100


@pytest.mark.parametrize("folder, made", [("", {".br", ".gz"}), ("admin", {".gz"})])
def test_files_for_readers_are_smallest(tmp_path, folder, made):
    file = tmp_path / folder / "a.css"
    file.parent.mkdir(exist_ok=True)
    file.write_text("body { color: black }\n" * 100)
    ReadersFirst(quiet=True).compress(str(file))
    assert {other.suffix for other in file.parent.iterdir()} == made | {".css"}

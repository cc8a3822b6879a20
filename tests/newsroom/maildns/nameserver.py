"""A real name server of ours, over UDP and TCP, that knows what it is told."""

import time
from dataclasses import dataclass, field
from functools import partial

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
from dns.rdtypes.ANY.TXT import TXT

from tests.newsroom.maildns.records import Records

UDP_LIMIT = 512  # a longer answer is cut off and asked for again over TCP (RFC 1035 4.2.1)
SILENT, GARBAGE = "silent", "garbage"


@dataclass
class NameServer:
    port: int = 0
    records: Records = field(default_factory=dict)
    failing: dict[str, str] = field(default_factory=dict)  # names, and the code they are answered, SILENT or GARBAGE
    delay: float = 0  # seconds
    asked: list[str] = field(default_factory=list)

    def answer(self, wire: bytes, transport: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        [question] = query.question
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{transport} {name} {kind}")
        time.sleep(self.delay)
        response = dns.message.make_response(query, recursion_available=True)
        if name in self.failing:
            if self.failing[name] in (SILENT, GARBAGE):
                return b"\xff" * 40 if self.failing[name] == GARBAGE else None
            response.set_rcode(dns.rcode.from_text(self.failing[name]))
            return response.to_wire()
        while f"{name} CNAME" in self.records and len(response.answer) < 20:
            self._add(response, name, "CNAME")
            name = self.records[f"{name} CNAME"][0].removesuffix(".")
        self._add(response, name, kind)
        if not any(f".{key.split(' ')[0]}".endswith(f".{name}") for key in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        answer = response.to_wire(max_size=65535)
        if transport == "udp" and len(answer) > UDP_LIMIT:
            response.flags |= dns.flags.TC
            response.answer.clear()
            answer = response.to_wire()
        return answer

    def _add(self, response: dns.message.Message, name: str, kind: str) -> None:
        if data := self.records.get(f"{name} {kind}"):
            read = strings if kind == "TXT" else partial(dns.rdata.from_text, "IN", kind)
            response.answer.append(dns.rrset.from_rdata_list(dns.name.from_text(name), 0, [read(one) for one in data]))


def strings(text: str | tuple[str, ...]) -> TXT:
    """The text cut into strings of at most 255 bytes, or as it is cut already."""
    raw = text.encode() if isinstance(text, str) else b""
    cut = [raw[start : start + 255] for start in range(0, len(raw), 255)] or [b""]
    return TXT(dns.rdataclass.IN, dns.rdatatype.TXT, cut if isinstance(text, str) else text)

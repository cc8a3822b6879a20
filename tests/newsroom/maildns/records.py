"""What the name server knows: a domain where all is well, and that domain with one thing changed."""

import base64

# Name and type; then the data, of a TXT its whole text, or its several strings.
Records = dict[str, list[str | tuple[str, ...]]]


def rsa(bits: int) -> str:
    """A public key of that length as providers publish it; nobody signs with it."""

    def element(kind: int, content: bytes) -> bytes:
        size = len(content).to_bytes(2)
        return bytes([kind, 0x82]) + size + content

    modulus = (1 << (bits - 1)) + 1
    numbers = element(2, b"\0" + modulus.to_bytes(bits // 8)) + element(2, b"\1\0\1")
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    key = element(0x30, algorithm + element(3, b"\0" + element(0x30, numbers)))
    return base64.b64encode(key).decode()


# From the RFCs themselves, 6376 C and 8463 A.2.
RSA_1024 = (
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od"
    "+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB"
)
ED25519 = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

GOOD: Records = {
    "example.org MX": ["10 mx.example.org."],
    "example.org TXT": ["v=spf1 mx -all", "something-else=1"],
    "default._domainkey.example.org TXT": [f"v=DKIM1; k=rsa; p={rsa(2048)}"],
    "_dmarc.example.org TXT": ["v=DMARC1; p=reject; rua=mailto:dmarc@example.org"],
    "mx.example.org A": ["192.0.2.25"],
    "mx.example.org AAAA": ["2001:db8::25"],
    "25.2.0.192.in-addr.arpa PTR": ["mx.example.org."],
}


def spf(text: str, **others: str) -> Records:
    """The good domain with this SPF record, and records of names below it."""
    return GOOD | {"example.org TXT": [text]} | {f"{name}.example.org TXT": [other] for name, other in others.items()}


def dkim(text: str | tuple[str, ...]) -> Records:
    return GOOD | {"mail2026._domainkey.example.org TXT": [text]}


def dmarc(text: str) -> Records:
    return GOOD | {"_dmarc.example.org TXT": [text]}

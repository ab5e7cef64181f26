"""What makes two errors the same fault: where they were met, what kind they are, and what is said but for the particulars.

How it works: whatever differs from one time to the next (names in quotes, addresses, paths, ids, numbers) is replaced by a
word for what it is, so that a message said of a thousand packages is one message.
"""

import hashlib
import re
from typing import Final

from resolvers.scrubbing import scrubbed

# Of a message; what follows tells of one time rather than of the fault.
LONGEST_MESSAGE: Final = 500

# Looked at, before what is replaced makes it shorter.
_LONGEST_READ: Final = 4 * LONGEST_MESSAGE

_DIGEST_BYTES: Final = 16

_QUOTED: Final = re.compile(
    # An apostrophe within a word begins no quotation.
    r"""(?<!\w)'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|`[^`\n]*`|\u201c[^\u201d\n]*\u201d|\u2018[^\u2019\n]*\u2019"""
)
_PARTICULARS: Final = (
    (re.compile(r"(?i)\b[a-z][a-z0-9+.-]*://[^\s,;)\]}>]+"), "<url>"),
    (_QUOTED, "<name>"),
    (re.compile(r"(?i)\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b"), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?"), "<time>"),
    (re.compile(r"(?<![\w<])(?:[A-Za-z]:)?(?:[\\/][^\s\\/:;,'\"()\[\]<>]+){2,}[\\/]?"), "<path>"),
    (re.compile(r"(?<![\w<])(?:[\w.@+-]+/){2,}[\w.@+-]+"), "<path>"),
    (
        re.compile(r"(?i)\b(?:sha\d+:|blake2b:)?(?=[0-9a-f]*\d)(?=\d*[a-f])[0-9a-f]{8,}\b|\b0x[0-9a-f]+\b"),
        "<id>",
    ),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    # With its unit; also a version.
    (re.compile(r"(?<![\w.])v?\d(?:[\w.,+!-]*\w)?"), "<number>"),
    (re.compile(r"\d+"), "<number>"),
    (re.compile(r"\s+"), " "),
)


def normalised(message: str) -> str:
    """Return what `message` says of any time, without secrets and particulars, on one line."""
    text = scrubbed(_beginning(message))
    for pattern, word in _PARTICULARS:
        text = pattern.sub(word, text)
    text = text.strip()
    return text if len(text) <= LONGEST_MESSAGE else f"{text[: LONGEST_MESSAGE - 1].rstrip()}…"


def _beginning(message: str) -> str:
    """Return as much as is read; a word that would be cut might be half a secret, and is left out."""
    if len(message) <= _LONGEST_READ:
        return message
    return " ".join(message[:_LONGEST_READ].split(" ")[:-1])


def fingerprint(*, code: str, component: str, message: str) -> str:
    """Return what errors share that are the same fault; `message` is a normalised one."""
    said = "\0".join((component, code, message)).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(said, digest_size=_DIGEST_BYTES).hexdigest()

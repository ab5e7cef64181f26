"""Taking secrets out of text that is kept or shown: what got into a message by accident must not get any further.

How it works: one pattern for each form in which a secret can be told from other text, and in its place a word that tells
that there was one. What looks like a secret and is none is lost, which is the better mistake. Repetitions are bounded where they could be tried from each place of a long text.
"""

import re
from typing import Final

HIDDEN: Final = "***"
"""What stands where a secret was."""

# A value of a header or a setting: quoted, or up to where it can no longer go on.
_VALUE: Final = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s,;&"'<>)}\]]+)"""

# What a value is called that nobody but its owner is to see, as a header, a field, a parameter or a variable.
_NAMES: Final = (
    r"[\w-]{0,40}(?:secret|passw(?:or)?d|passphrase|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?"
    r"|buildatlas[_-]session)[\w-]{0,40}"
)

_PATTERNS: Final = (
    # A whole PEM block, or as much of it as there is.
    (
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
        ),
        HIDDEN,
    ),
    # Headers whose whole value is secret, to the end of the line or of the string.
    (
        re.compile(
            r"""(?i)\b((?:proxy-)?authorization|(?:set-)?cookie)\b(["']?\s*[:=,]\s*)(?:b?"[^"\n]*"|b?'[^'\n]*'|[^\n"']+)"""
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{6,}"), rf"\1\2{HIDDEN}"),
    # The password of a URL, and a user name that stands alone, which is where some services expect a token. A password may
    # hold any character, as it stands in a setting, so it goes as far as the last @ before the path.
    (
        re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)([^\s/@:\"'<>]{0,256}):[^\s\"'<>]{0,256}@"),
        rf"\1\2:{HIDDEN}@",
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,20}://)[^\s/@:\"'<>]{1,256}@"), rf"\1{HIDDEN}@"),
    # The addresses at which chats take messages are secrets themselves.
    (re.compile(r"(?i)\b(https://hooks\.slack\.com/)[^\s\"'<>]+"), rf"\1{HIDDEN}"),
    (re.compile(rf"""(?i)(["']?\b{_NAMES}["']?\s*(?:=>|[:=])\s*){_VALUE}"""), rf"\1{HIDDEN}"),
    (re.compile(rf"""(?i)(--{_NAMES}\s+){_VALUE}"""), rf"\1{HIDDEN}"),
    # Tokens that say by how they begin that they are: ours, and those of services that builds are likely to speak to.
    (re.compile(r"bat_[A-Za-z0-9_-]+"), f"bat_{HIDDEN}"),
    (
        re.compile(r"\b(gh[oprsu]_|github_pat_|glpat-|xox[abposr]-|sk-|pypi-)[A-Za-z0-9_-]{10,}"),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN),
    # A JSON Web Token.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{1,1000}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"), HIDDEN),
)


def scrubbed(text: str) -> str:
    """Return `text` without the secrets in it. It has to be whole: half a secret may not look like one."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text

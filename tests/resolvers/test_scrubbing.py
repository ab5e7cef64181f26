"""Secrets are taken out of text, in whatever form they come, and the rest of it stays."""

import secrets
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from resolvers.access import PREFIX
from resolvers.scrubbing import scrubbed

SECRET = "s3cr3tV4lue"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"token {PREFIX}{SECRET}-_x is unknown", f"token {PREFIX}*** is unknown"),
        (f"Authorization: Bearer {SECRET}\nAccept: */*", "Authorization: ***\nAccept: */*"),
        (f"authorization: Basic {SECRET}==", "authorization: ***"),
        (
            f"[(b'authorization', b'Bearer {SECRET}'), (b'accept', b'x')]",
            "[(b'authorization', ***), (b'accept', b'x')]",
        ),
        (f'{{"Authorization": "Bearer {SECRET}", "a": 1}}', '{"Authorization": ***, "a": 1}'),
        (f"sent bearer {SECRET} along", "sent bearer *** along"),
        (f"Cookie: buildatlas_session={SECRET}; a=b", "Cookie: ***"),
        (f"buildatlas_session={SECRET}; Path=/", "buildatlas_session=***; Path=/"),
        (
            f"postgresql://atlas:{SECRET}@db:5432/atlas is away",
            "postgresql://atlas:***@db:5432/atlas is away",
        ),
        (
            f"postgresql+psycopg://atlas:{SECRET}@{SECRET}/x@db/atlas",
            "postgresql+psycopg://atlas:***@db/atlas",
        ),
        (f"https://{SECRET}@forge.example/x.git", "https://***@forge.example/x.git"),
        (f"host=db user=atlas password={SECRET} port=5432", "host=db user=atlas password=*** port=5432"),
        (f"password='{SECRET} with \\' blanks' port=1", "password=*** port=1"),
        (f'webhookSecret: "{SECRET}", name: "x"', 'webhookSecret: ***, name: "x"'),
        (f"AlertRule(name='x', webhook_secret='{SECRET}')", "AlertRule(name='x', webhook_secret=***)"),
        (
            f"https://hook.example/?a=1&access_token={SECRET}&b=2",
            "https://hook.example/?a=1&access_token=***&b=2",
        ),
        (f"https://hooks.slack.com/services/T0/B0/{SECRET} said 500", "https://hooks.slack.com/*** said 500"),
        (f"BUILDATLAS_TOKEN={SECRET} buildatlas run", "BUILDATLAS_TOKEN=*** buildatlas run"),
        (f"deploy --api-key {SECRET} --to here", "deploy --api-key *** --to here"),
        (f"remote: ghp_{SECRET}{SECRET} expired", "remote: ghp_*** expired"),
        ("key AKIAABCDEFGHIJKLMNOP denied", "key *** denied"),
        ("got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln back", "got *** back"),
        (
            f"a\n-----BEGIN RSA PRIVATE KEY-----\n{SECRET}\n-----END RSA PRIVATE KEY-----\nb",
            "a\n***\nb",
        ),
        (f"-----BEGIN PRIVATE KEY-----\n{SECRET}\n{SECRET}", "***"),
    ],
)
def test_a_secret_is_taken_out_and_the_rest_stays(text: str, expected: str) -> None:
    assert scrubbed(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "version 1.2.3 of lib needs zlib >=9, and nothing satisfies that",
        "http://localhost:8000/graphql?query={packages{name}}",
        "mail to ann@example.com about it",
        'File "/srv/atlas/resolvers/plans.py", line 12, in build_plan',
        "KeyError: 'Flux'",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert scrubbed(text) == text


FORMS = [
    "{}",
    "Authorization: Bearer {}",
    "{{'authorization': 'Bearer {}'}}",
    "connecting to postgresql://user:{}@db/atlas",
    "--token {}",
    "token={}",
    "webhook_secret='{}'",
]


@given(
    form=st.sampled_from(FORMS),
    around=st.tuples(st.text(max_size=40), st.text(max_size=40)),
    token=st.text(string.ascii_letters + string.digits + "-_", min_size=20, max_size=43),
)
def test_no_token_of_ours_gets_through_whatever_is_around_it(
    form: str, around: tuple[str, str], token: str
) -> None:
    secret = PREFIX + token
    assume(token not in "\n".join(around))

    assert token not in scrubbed(f"{around[0]}{form.format(secret)}{around[1]}")


def test_a_token_as_it_is_made_does_not_get_through() -> None:
    secret = PREFIX + secrets.token_urlsafe(32)

    assert scrubbed(f"{secret}:{secret}") == f"{PREFIX}***:{PREFIX}***"


@pytest.mark.parametrize("piece", ["a-", "://a:", "token", "'", "-----BEGIN PRIVATE KEY-----", "1a", "\\"])
def test_long_texts_of_little_sense_are_read_to_their_end(piece: str) -> None:
    assert scrubbed(piece * 10_000 + " password=x").endswith("***")

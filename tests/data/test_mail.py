"""Mail is cleaned of what gives the answer away, split by thread and campaign, and any bytes can be read."""

import base64
import re
import time

import pytest
import torch

from dlcourse.data import mail
from dlcourse.data.mail_text import clean, decode, mask_details, read_mail, strip_lists
from dlcourse.data.text import lengths, words


@pytest.fixture(scope="module")
def splits():
    return mail.read()


def test_the_parts_have_their_sizes_and_their_share_of_spam(splits):
    assert [len(part.texts) for part in splits] == [3500, 757, 751]
    assert [int(part.labels.sum()) for part in splits] == [766, 172, 165]
    for part in splits:
        assert part.labels.dtype == torch.int64
        assert len(part.labels) == len(part.texts)


def runs(text, length):
    letters = [word for word in words(text, punctuation=False) if word[0].isalpha()]
    return {tuple(letters[i : i + length]) for i in range(max(1, len(letters) - length + 1))}


def test_no_mail_of_a_part_shares_a_third_of_its_runs_of_words_with_one_of_another(splits):
    parts = [[runs(text, 4) for text in part.texts] for part in splits]
    for known, other in ((0, 1), (0, 2), (1, 2)):
        places = {}
        for number, own in enumerate(parts[known]):
            for run in own:
                places.setdefault(run, []).append(number)
        for own in parts[other]:
            shared = {}
            for run in own:
                for number in places.get(run, []):
                    shared[number] = shared.get(number, 0) + 1
            assert all(count <= 0.3 * min(len(own), len(parts[known][number])) for number, count in shared.items())


def test_no_text_is_empty_too_long_or_in_a_foreign_script(splits):
    for part in splits:
        for text in part.texts:
            assert 10 < len(text) <= 2000
            assert sum(ord(c) > 126 for c in text) <= 0.03 * len(text)


def test_addresses_links_digits_and_the_collectors_names_are_gone(splits):
    everything = "\n".join(text for part in splits for text in part.texts)
    assert not re.search(r"\w@\w|https?://\w|www\.\w|[0-9]|zzzz|deathtospam", everything)
    assert everything.count("<url>") > 1000


def test_what_list_software_writes_is_gone(splits):
    for part in splits:
        for text in part.texts:
            subject = text.partition("\n")[0]
            assert not re.search(r"\b(re|fwd):|\[\w+\]", subject, re.IGNORECASE)
            assert not re.search(r"mailman/listinfo|This sf\.net email|^X-[A-Z]", text, re.MULTILINE)


def test_no_single_word_gives_the_answer(splits):
    """Whoever calls spam what has one certain word finds at most two thirds of it, or accuses as many others."""
    texts, labels = splits.train
    spam, good = {}, {}
    for text, label in zip(texts, labels.tolist(), strict=True):
        for word in set(words(text)):
            (spam if label else good)[word] = (spam if label else good).get(word, 0) + 1
    total = int(labels.sum())
    best = max(2 * count / (count + good.get(word, 0) + total) for word, count in spam.items())
    assert best < 0.67


def test_the_raw_sample_is_half_spam_and_still_has_its_headers():
    raw = mail.read_raw()
    assert [len(part.texts) for part in raw] == [400, 100, 200]
    assert [int(part.labels.sum()) for part in raw] == [200, 50, 100]
    texts, labels = raw.train
    assert sum("Received:" in text for text in texts) > 380
    listed = torch.tensor(["mailman" in text.lower() for text in texts])
    assert listed[labels == 0].float().mean() > 0.6  # the shortcut
    assert listed[labels == 1].float().mean() < 0.2
    assert not any(re.search(r"[\w.+=-]+@", text.replace("user@", "")) for part in raw for text in part.texts)


def test_cleaning_the_raw_sample_takes_the_shortcut_away():
    texts, labels = mail.read_raw().train
    cleaned = [clean(text.encode()) for text in texts[:60]]
    assert labels[:60].unique().tolist() == [0]
    assert not any("mailman" in text or "Message-I" in text for text in cleaned)


def test_numbers_are_those_of_the_vocabulary_padded_at_the_end(splits):
    vocabulary = mail.vocabulary(vocab_size=500, max_length=30)
    assert len(vocabulary) == 500
    for part, tensors in zip(splits, mail.load(vocab_size=500, max_length=30), strict=True):
        tokens, labels = tensors.tensors
        assert tokens.shape == (len(part.texts), 30)
        assert tokens.max() == 499
        assert torch.equal(labels, part.labels)
        first = words(part.texts[0])[:30]
        assert lengths(tokens)[0] == len(first)
        assert vocabulary.decode(tokens[0]) == [word if word in vocabulary else "<unk>" for word in first]


def test_the_vocabulary_has_seen_the_training_mails_alone(splits):
    seen = {word for text in splits.train.texts for word in words(text)[:200]}
    assert set(mail.vocabulary().tokens[2:]) <= seen


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"vocab_size": 2}, "no token to number.*max_size=2"), ({"max_length": -5}, "max_length=-5: at least 1 token")],
)
def test_settings_that_leave_nothing_are_refused(settings, message):
    for make in (mail.load, mail.vocabulary):
        with pytest.raises(ValueError, match=message):
            make(**settings)


def test_what_one_caller_changes_the_next_does_not_see():
    part = mail.read().test
    part.texts.clear()
    part.labels.zero_()
    assert len(mail.read().test.texts) == 751
    assert mail.read().test.labels.sum() == 165


def raw(body, subject="Hello", kind="text/plain", charset="utf-8", transfer="8bit"):
    kind = f"Content-Type: {kind}; charset={charset}\r\nContent-Transfer-Encoding: {transfer}"
    head = f"From: a@b.org\r\nSubject: {subject}\r\n{kind}\r\n\r\n"
    return head.encode() + (body if isinstance(body, bytes) else body.encode())


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("Grüße".encode("latin-1"), "iso-8859-1"),
        ("Grüße".encode("latin-1"), "utf-8"),  # the wrong name
        ("Grüße".encode("latin-1"), "no-such-code"),
        ("Grüße".encode(), "no-such-code"),
        ("Grüße".encode("koi8-r", errors="ignore") + b"\xfc\xdfe", "us-ascii"),
    ],
)
def test_mail_that_is_not_utf_8_or_misnames_its_encoding_is_read(body, charset):
    subject, text = read_mail(raw(body, charset=charset))
    assert subject == "Hello"
    assert text.endswith("üße")


def test_bytes_that_no_encoding_has_become_a_space():
    assert decode(b"a\x81b\xff", "ascii") == "a bÿ"


@pytest.mark.parametrize("noise", [b"", b"\x00", bytes(range(256)) * 3, b"Subject: =?x?q?=FF?=\n\n\xff\xfe", b"\n\n"])
def test_every_sequence_of_bytes_can_be_cleaned(noise):
    text = clean(noise)
    assert isinstance(text, str)
    text.encode("utf-8")


@pytest.mark.parametrize("charset", ["undefined", "punycode", "raw_unicode_escape", "base64", "a\x00b", "x" * 3000, '"', "\xe9"])
@pytest.mark.parametrize("body", [rb"half a character: \ud800, a byte: " + b"\xff", bytes(range(256))])
def test_a_mail_may_name_any_encoding(charset, body):
    text = clean(raw(body, subject=f"=?{charset}?q?=FF?=", charset=charset))
    text.encode("utf-8")
    assert len(text) > 20


@pytest.mark.parametrize("section", ["<![>", "<![x>", "<![foo[ >", "<![CDATA[ x ]]>", "<![if !mso]>"])
def test_a_section_of_html_that_nobody_knows_hides_no_more_than_itself(section):
    assert clean(raw(f"<html>Free {section}<p>money</html>", kind="text/html")).split() == ["Hello", "Free", "money"]


@pytest.mark.parametrize("head", [b"Content-Type: message/rfc822\n\n", b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n"])
def test_a_mail_in_a_mail_a_thousand_deep_counts_as_one_without_text(head):
    assert clean(b"".join(head % ((i,) * head.count(b"%d")) for i in range(2000)) + b"hi") == ""


def test_the_line_before_a_quotation_goes_whether_it_takes_one_line_or_two():
    assert strip_lists("Yes.\nOn Monday, Jo wrote:\nNo.") == "Yes.\n\nNo."
    assert strip_lists("Yes.\nOn Monday, at four,\nJo (at home) wrote: \nNo.") == "Yes.\n\nNo."
    for kept in ("On Monday Jo wrote a letter", "On Monday, in bed,\nwriting:", "On Monday Jo wrote\nto us:\n"):
        assert strip_lists(kept) == kept


def test_a_long_line_takes_no_more_than_its_length():
    words, hosts, start = "On Monday " + "he wrote and " * 10_000, "a." * 8_000, time.perf_counter()
    assert strip_lists(words) == words
    assert not mask_details(hosts).strip()  # no link, but nothing to read either
    assert time.perf_counter() - start < 5  # the square of its length: twenty seconds


def test_a_mail_without_text_gives_an_empty_string():
    assert clean(b"") == ""
    assert clean(raw("", subject="")) == ""


def test_an_encoded_subject_and_body_are_decoded():
    body = base64.b64encode("Käse für alle".encode()).decode()
    mail_bytes = raw(body, subject="=?iso-8859-1?q?K=E4se?=", transfer="base64")
    assert read_mail(mail_bytes) == ("Käse", "Käse für alle")


def test_of_html_what_the_reader_sees_remains():
    page = "<html><head><style>p {}</style></head><body><p>Free&nbsp;money<!-- not that --><br>now</p><script>x()</script></body>"
    assert clean(raw(page, kind="text/html")) == "Hello\nFree money now"
    assert clean(raw(page)) == "Hello\nFree money now"  # called plain, as spam does


def test_the_plain_part_of_a_mail_in_two_forms_is_taken():
    body = "--x\nContent-Type: text/html\n\n<p>loud</p>\n--x\nContent-Type: text/plain\n\nquiet\n--x--\n"
    assert read_mail(raw(body, kind='multipart/alternative; boundary="x"'))[1].strip() == "quiet"


def test_addresses_links_and_numbers_become_placeholders():
    text = "Write to jo.b@example.org or see http://a.example/x?y=1 and www.b.example: only $9,99 until 12:30, at example.com/z"
    assert " ".join(mask_details(text).split()) == (
        "Write to <address> or see <url> and <url> only $ <number> until <number> , at <url>"
    )


def test_tags_quotations_signatures_and_footers_are_stripped():
    body = (
        "On Monday, Jo wrote:\n> buy the blue one\nNo, the red one.\n\n-- \nJo\n"
        "_______________________________________________\nList mailing list\nhttp://lists.example/mailman/listinfo/list\n"
    )
    assert clean(raw(body, subject="Re: [List] Fwd: colours")) == "colours\nNo, the red one."
    assert strip_lists("Mine\n" + "_" * 47 + "\nYours") == "Mine\n"


def test_a_long_mail_is_cut_between_two_words():
    text = clean(raw("word " * 1000), max_characters=52)
    assert text == "Hello\n" + " ".join(["word"] * 9)

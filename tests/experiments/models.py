"""Experiments of models."""

from __future__ import annotations

from experiments.bench import CHANGED, VISIBLE, far, shows


@shows("MODEL_WORD")
@shows("READ_WORD", step="Output")
def model_word(b, *, step="Input"):
    place = b.position(b.context)[0]
    before = b.get(f"{b.p}_{step}")[place]
    b.exchange(b.context, place)
    assert far(b.get(f"{b.p}_{step}")[place], before) > CHANGED


@shows("SAME_WORD", "SAME_WORD_TURNED")
@shows("SAME_WORD_PLACED", placed=True)
def same_word(b, *, placed=False):
    context = next(c for c in b.contexts if len(b.words(c)) > 1)
    word = b.position(context)[1]
    for place in (0, 1):
        b.put(f"{context}_Tokens", word, place)
    b.rows_alike(f"{b.id}_{context}", ("X",), 0, 1)
    first, second = b.get(f"{b.id}_{context}_Input")[:2]
    assert far(first, second) > CHANGED if placed else far(first, second) == 0


def layer_names(b) -> tuple[str, str]:
    """The prefixes of the weights of a layer, and of its ranges in a sentence."""
    here = [block.name for block in b.page.blocks() if block.name.endswith("_FeedForward")]
    return b.page.id, here[0].removesuffix("_FeedForward")


@shows("NO_FEED_FORWARD", "NO_FEED_FORWARD_BIASED")
def no_feed_forward(b):
    w, p = layer_names(b)
    silence(b, w, p, b.values["residual"], b.values["stream"])


@shows("encoder paper 0", w="paper_l1", p="paper_cat_l1", stream="Norm1")
@shows("encoder modern 1", w="modern_l2", p="modern_cat_l2", stream="Residual1")
def silence(b, w, p, residual="Residual2", stream="Residual1"):
    assert b.get(f"{p}_FeedForward").any()
    for name in ("W_2", "b_2"):
        if f"{w}_{name}" in b.names:
            b.put(f"{w}_{name}", 0)
    assert not b.get(f"{p}_FeedForward").any()
    assert b.cells(f"{p}_{residual}") == b.cells(f"{p}_{stream}")


@shows("NORM_COLUMN", "RMS_NORM_COLUMN")
def norm_column(b):
    w, p = layer_names(b)
    b.put(f"{w}_Norm1_Gamma", 0, 0, 1)
    beta = b.get(f"{w}_Norm1_Beta")[0, 1] if f"{w}_Norm1_Beta" in b.names else 0.0
    assert (b.get(f"{p}_Norm1")[:, 1] == beta).all()


@shows("PROMPT", "SOURCE")
def prompt(b):
    text = f"{b.id}_{b.contexts[-1]}_Text"
    before = b.text(text)
    turned_round(b)
    assert b.text(text) != before


@shows("ORDER")
def another_order(b):
    turned_round(b)
    assert b.text(f"{b.p}_Class") in b.sheet.classes


def turned_round(b):
    """Write the words of a sentence in reverse order; blanks stay where they are."""
    places = [i for i, word in enumerate(b.words(b.context)) if word]
    words = [b.words(b.context)[i] for i in places]
    for place, word in zip(places, reversed(words), strict=True):
        b.put(f"{b.context}_Tokens", word, place)


@shows("NO_LOOK_AHEAD")
def rows_above(b):
    context = b.contexts[-1]
    name, last = f"{b.id}_{context}_Next", len(b.words(context)) - 1
    probability = f"{b.id}_{context}_Probability"
    before, was = b.cells(name), b.get(probability)
    b.exchange(context, last)
    assert b.cells(name)[:last] == before[:last]
    assert far(b.get(probability)[last], was[last]) > 1e-6


@shows("MODEL_TEMPERATURE", "sort gpt 2", "llama llama 0")
def cooled(b):
    p, seen = f"{b.id}_{b.contexts[-1]}", []
    for value in (0.1, 1, 10):
        b.put(f"{b.id}_Temperature", value)
        seen.append((b.cells(f"{p}_Next"), b.get(f"{p}_Probability").max(axis=1)))
    (cold, sharp), (usual, largest), (warm, level) = seen
    assert cold == usual == warm
    assert (sharp >= largest).all()
    assert (largest >= level).all()
    assert far(sharp, level) > 0.01
    if b.sheet.id == "llama":  # whose text also mentions its logits
        logits = b.cells(f"{p}_Logits")
        b.put(f"{b.id}_Temperature", 0.1)
        assert b.cells(f"{p}_Logits") == logits


@shows("RIVALS")
def rivals(b):
    top = b.get(f"{b.id}_{b.contexts[-1]}_TopLogits")
    assert (top[:, 0] >= top[:, 1]).all()


@shows("CLASSIFIED")
def class_logits(b):
    before, moved_by = b.get(f"{b.p}_Logits"), []
    for place, word in enumerate(b.words(b.context)):
        if word:
            b.exchange(b.context, place)
            moved_by.append(far(b.get(f"{b.p}_Logits"), before))
            b.put(f"{b.context}_Tokens", word, place)
    assert max(moved_by) > VISIBLE


@shows("CLASS_COLUMN")
def class_column(b):
    b.put(f"{b.id}_W_C", 0, None, 0)
    assert b.get(f"{b.p}_Logits")[0, 0] == b.get(f"{b.id}_b_C")[0, 0]


@shows("READ_TWICE", "READ_THROUGH", "READ_AT_ONCE")
def read_through(b):
    assert b.get(f"{b.p}_X").shape == b.get(f"{b.p}_Output").shape

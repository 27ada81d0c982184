"""Experiments described by templates."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.bench import SAME, VISIBLE, far, shows
from xlsxattn.contract.first_screen import NO_PROMPT


@shows("walkthrough attn 0", context="cat", left="and and mouse are friends")
@shows("pingguo attn 0", context="fruit", left="和 和 苹果 很 好吃")
def no_deciding_word(b, *, context, left):
    for place, word in enumerate(left.split()[:1]):
        b.put(f"{context}_Tokens", word, place)
    one, other = b.get(f"attn_{context}_Output")[2, :2]
    assert abs(one - other) < 0.05


@shows("walkthrough attn 1", context="cat", word="mouse")
@shows("pingguo attn 1", context="fruit", word="苹果")
def too_different_to_be_changed(b, *, context, word):
    for dimension, value in enumerate((1.6, 2.4)):
        b.put("vocab_E", value, b.row(word), dimension)
    attn, learned = (b.get(f"{sheet}_{context}_Output")[2] for sheet in ("attn", "qkv"))
    assert attn[0] < attn[1]
    assert learned[0] > 2 * learned[1]


@shows("walkthrough qkv 2", words={"cat": "dog", "keyboard": "screen"})
@shows("pingguo qkv 0", words={"fruit": "葡萄", "tech": "手机"})
def words_of_no_lesson(b, *, words):
    for context, word in words.items():
        b.put(f"{context}_Tokens", word, 0)
    assert all(b.get(f"qkv_{context}_Attention")[2, 0] > 0.5 for context in words)


@shows("walkthrough dims 0")
def no_first_value(b):
    before = b.cells("dims_cat_Attention")
    b.put("dims_W_V", 0, None, 0)
    assert not b.get("dims_cat_Output")[:, 0].any()
    assert b.cells("dims_cat_Attention") == before


@shows("walkthrough dims 2")
def nothing_of_grammar(b):
    assert np.abs(b.get("dims_cat_Output")[[1, 3]]).max() < VISIBLE


@shows("walkthrough heads 1")
def two_bars(b):
    bars = [f"heads_cat_h{h}_FocusAttention" for h in (1, 2)]
    companion, other = (b.get(name)[0, 0] for name in bars)
    assert companion > 2 * other
    assert [one.blocks for one in b.page.charts[0].series] == [(name,) for name in bars]


@shows("walkthrough compare 1")
def a_cosine_of_nothing(b):
    b.put("vocab_Focus", "and")
    assert all(np.abs(b.get(f"compare_{c}_dims_Output")).max() < 0.06 for c in ("cat", "keyboard"))
    assert round(b.get("compare_keyboard_dims_Cosine")[0, 0], 3) == -0.717


@shows("causal causal 0")
def first_and_second_the(b):
    b.rows_alike("causal_chase", ("X",), 0, 3)
    X, output = b.get("causal_chase_X"), b.get("causal_chase_Output")
    assert output[0].tolist() == X[0].tolist()
    assert far(output[3], X[3]) > VISIBLE


@shows("causal causal 1")
def places_matter_by_the_mask(b):
    before, scaled = b.get("causal_chase_Output")[2], b.get("causal_chase_Scaled")[2]
    b.swap("chase", "cat", "mouse")
    assert b.get("causal_chase_Output")[2, 3] < before[3] - 0.01  # of animal
    assert sorted(b.get("causal_chase_Scaled")[2]) == pytest.approx(sorted(scaled))


@shows("padding both 0")
def first_word_cleared(b):
    b.put("short_Tokens", None, 0)
    assert set(b.get("both_short_Attention")[0]) == {1 / 6}


@shows("positions none 1", change=0.0)
@shows("positions sine 1", change=VISIBLE)
def rows_trade_places(b, *, change):
    before = b.get(f"{b.id}_dog_Output")[[1, 4]]
    b.swap("dog", "dog", "man")
    moved_by = far(before, b.get(f"{b.id}_dog_Output")[[4, 1]])
    assert moved_by > change if change else moved_by < SAME


@shows("positions sine 2")
def alike_but_for_the_place(b):
    b.rows_alike("sine_dog", ("X",), 0, 3)
    for step in ("Input", "Output"):
        first, second = b.get(f"sine_dog_{step}")[[0, 3]]
        assert far(first, second) > VISIBLE
    looks = b.get("sine_dog_Attention")[[0, 3]]
    assert looks.argmax(axis=1).tolist() == [0, 3]
    assert looks[[0, 1], [0, 3]] == pytest.approx([0.46, 0.50], abs=0.005)


@shows("positions table 1")
def same_place(b):
    for col, value in enumerate(b.get("table_P")[0]):
        b.put("table_P", value, 3, col)
    b.rows_alike("table_dog", ("Input", "Q", "Attention", "Output"), 0, 3)


@shows("cross cross 0")
def any_order(b):
    before = b.get("cross_english_Attention")
    assert (before[:3].argmax(axis=1) == [0, 1, 2]).all()
    b.write("german", " ".join(reversed([word for word in b.words("german") if word])))
    assert far(b.get("cross_english_Attention")[:, :3], before[:, 2::-1]) < SAME


@shows("cross cross 2")
def dog_and_hund(b):
    b.put("english_Tokens", "dog", 1)
    assert b.get("cross_english_Attention")[1, 1] == pytest.approx(0.92, abs=0.005)
    b.put("german_Tokens", "Hund", 1)
    assert b.get("cross_english_Attention")[1, 1] == pytest.approx(0.95, abs=0.005)
    assert b.get("cross_english_Output")[1, 3] < -VISIBLE  # quiet


@shows("encoder paper 1")
def less_stretched(b):
    before = b.get("paper_cat_l1_Norm1").std(axis=1)
    b.put("paper_Epsilon", 1)
    assert (b.get("paper_cat_l1_Norm1").std(axis=1) < 0.9 * before).all()


@shows("encoder paper 2")
def twice_as_large(b):
    before, hidden = b.get("paper_cat_l1_Norm1"), b.get("paper_cat_l1_Hidden")
    b.put("paper_l1_Norm1_Gamma", 2)
    assert far(b.get("paper_cat_l1_Norm1"), 2 * before) < SAME
    assert far(b.get("paper_cat_l1_Hidden"), 2 * hidden) < SAME


@shows("encoder modern 0")
def sharper_by_gamma(b):
    before, scores = b.get("modern_cat_l1_h1_Attention").max(axis=1).mean(), b.get("modern_cat_l1_h1_Scores")
    b.put("modern_l1_Norm1_Gamma", 2)
    assert b.get("modern_cat_l1_h1_Attention").max(axis=1).mean() > before + 0.05
    assert far(b.get("modern_cat_l1_h1_Scores"), 4 * scores) < 1e-9


@shows("encoder modern 2")
def no_order(b):
    b.put("modern_P", 0)
    before = b.get("modern_cat_Output")[[0, 2]]
    b.swap("cat", "cat", "mouse")
    assert far(b.get("modern_cat_Output")[[2, 0]], before) < 1e-9


@shows("glove compare 0")
def keyboard_for_cat(b):
    before = b.get("compare_cat_attn_Near")[:, 0]
    b.put("cat_Tokens", "keyboard", b.words("cat").index("cat"))
    after = b.get("compare_cat_attn_Near")[:, 0]
    assert [*before, *after] == pytest.approx([0.87, 0.52, 0.76, 0.68], abs=0.006)


@shows("glove compare 1")
def friends_and_usb(b):
    for place, word in enumerate(("friends", "usb")):
        b.put("compare_Tokens", word, place)
    first, second = (b.get(f"compare_{c}_attn_Near")[:, 0] for c in ("cat", "keyboard"))
    assert first[0] > second[0]
    assert second[1] > first[1]


@shows("llama llama 1")
def same_queries(b):
    one, other = (f"llama_said_l1_h{h}_Attention" for h in (1, 2))
    assert far(b.get(one), b.get(other)) > 0.01
    W_Q = b.get("llama_l1_W_Q")
    for i, j in np.ndindex(len(W_Q), 2):
        b.put("llama_l1_W_Q", W_Q[i, j], i, j + 2)
    assert b.cells(one) == b.cells(other)


@shows("llama llama 2")
def gate_shut(b):
    assert b.get("llama_said_l1_FeedForward").any()
    b.put("llama_l1_W_1", 0)
    assert not b.get("llama_said_l1_FeedForward").any()
    assert b.cells("llama_said_l1_Residual2") == b.cells("llama_said_l1_Residual1")


@shows("mouse cls 0")
def trap(b):
    assert b.text("cls_trap_Class") == "device"
    b.swap("trap", "keyboard", "dog")
    assert b.text("cls_trap_Class") == "animal"


@shows("mouse cls 1", context="keyboard", answer="cls_keyboard_Class", said={"cat and keyboard": "animal"})
@shows("sort gpt 0", context="prompt", answer="gpt_prompt_Text", said={"d d a c |": "d d a c | a c d d"})
@shows("reverse rev 2", context="word", answer="rev_written_Text", said={"p o s t s": "< t s o p >"})
@shows("reverse rev 0", context="word", answer="rev_written_Text",
       said={"s n a p": "< p a n s >", "o n": "< n o > > >"})  # fmt: skip
def answers(b, *, context, answer, said):
    for words, answered in said.items():
        b.write(context, words)
        assert b.text(answer) == answered


@shows("mouse cls 2")
def undecided(b):
    for words in ("mouse and mouse", "mouse", "mouse are small"):
        b.write("keyboard", words)
        assert b.text("xlsxattn_keyboard_Says") == "Undecided: animal or device."
        assert np.abs(np.asarray(b.get("cls_keyboard_Probability"), float) - 0.5).max() < 0.1


@shows("sort gpt 1")
def not_sorted(b):
    b.write("prompt", "b a |")
    assert b.text("gpt_prompt_Text") == "b a | | | a a b a"
    b.put("prompt_Tokens", None, 0)
    assert b.text("xlsxattn_prompt_Says") == NO_PROMPT


@shows("reverse rev 1")
def backwards(b):
    rows = b.get("rev_written_l1_Cross_h2_Attention")
    assert rows[:4].argmax(axis=1).tolist() == [3, 2, 1, 0]
    b.put("word_Tokens", None, 0)
    assert b.text("xlsxattn_word_Says") == NO_PROMPT
    assert b.text("xlsxattn_written_Says") == ""


@shows("pingguo compare 0")
def millet(b):
    for context in ("fruit", "tech"):
        b.put(f"{context}_Tokens", "小米", 2)
    b.put("vocab_Focus", "小米")
    for context, (mine, other) in {"fruit": (0, 1), "tech": (1, 0)}.items():
        assert b.get(f"qkv_{context}_Attention")[2, 0] > 0.5  # of “小米” to its companion
        output = b.get(f"compare_{context}_qkv_Output")[0]
        assert output[mine] > 2.5
        assert output[other] < 0.5

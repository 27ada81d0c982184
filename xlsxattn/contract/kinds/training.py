"""The kind of sheet that trains attention by gradient descent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeAlias

from xlsxattn.contract.keys import (
    WHOLE,
    Choice,
    Count,
    Items,
    ManifestRule,
    Positive,
    SheetRef,
    TableList,
    TargetValues,
    Within,
    Word,
    Words,
)
from xlsxattn.contract.kinds.attention import MultiHead, SelfAttention
from xlsxattn.contract.kinds.base import Sheet
from xlsxattn.contract.values import MAX_BETA, MAX_EXAMPLES, MAX_STEPS, MAX_TRAINED, MIN_ADAM_EPSILON

Trains: TypeAlias = Annotated[str, SheetRef("the previous attention sheet that is trained"), WHOLE]
Learns: TypeAlias = Annotated[
    Sequence[Literal["W_Q", "W_K", "W_V", "W_O"]],
    Items(
        "the matrices to train; default: all matrices of the trained sheet; the others keep their "
        "initial values",
        *(Choice("a matrix", ("W_Q", "W_K", "W_V", "W_O")), "matrices", 4),
    ),
    WHOLE,
]
Start: TypeAlias = Annotated[
    Literal["given", "identity", "random"],
    Choice("initial weights: those of the trained sheet, identity matrices, or random numbers"),
]
StartSeed: TypeAlias = Annotated[
    int, Count('seed of the initial weights if start = "random"', most=None, least=0)
]
Deviation: TypeAlias = Annotated[
    float, Positive('standard deviation of the initial weights if start = "random"; default: 1/√d_model')
]
TrainingSteps: TypeAlias = Annotated[int, Count("number of training steps", MAX_STEPS), WHOLE]
Optimizer: TypeAlias = Annotated[
    Literal["sgd", "momentum", "adam"], Choice("the optimizer, as in torch.optim"), WHOLE
]
LearningRate: TypeAlias = Annotated[float, Positive("the learning rate, an input cell", most=MAX_TRAINED)]
Momentum: TypeAlias = Annotated[float, Within("momentum factor, for the optimizer momentum", 1.0)]
Betas: TypeAlias = Annotated[
    Sequence[float],
    Items(
        "decay rates of the first and second moments, for adam",
        *(Within("a number", MAX_BETA), "numbers", 2, 2),
        unique=False,
    ),
]
AdamEpsilon: TypeAlias = Annotated[
    float,
    Positive(
        "ε, which adam adds to the square root of the second moment", least=MIN_ADAM_EPSILON, most=MAX_TRAINED
    ),
]
WeightDecay: TypeAlias = Annotated[
    float, Within("weight decay: the multiple of each weight that is added to its gradient", 1.0)
]
Sentence: TypeAlias = Annotated[str | Sequence[str], Words("a sentence")]
Asked: TypeAlias = Annotated[str, Word("the target word: the word of the sentence whose output is trained")]
Wanted: TypeAlias = Annotated[
    Any, TargetValues("the target output of the word: numbers, or words whose embeddings are averaged")
]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A training example: a sentence, and the target output of one of its words."""

    sentence: Sentence
    word: Asked
    target: Wanted


Examples: TypeAlias = Annotated[
    Sequence[Example],
    TableList(
        "training examples: sentences, each with the target output of one of its words", Example, MAX_EXAMPLES
    ),
    ManifestRule(lambda _, value: [len(example.sentence) for example in value]),
]


@dataclass(frozen=True, kw_only=True)
class Training(Sheet):
    """Trains an attention sheet by gradient descent; every training step is computed by formulas."""

    kind = "training"
    trains: Trains
    examples: Examples
    learns: Learns = ()
    start: Start = "given"
    seed: StartSeed = 0
    deviation: Deviation = 0.0
    steps: TrainingSteps = 20
    optimizer: Optimizer = "adam"
    lr: LearningRate = 0.1
    momentum: Momentum = 0.9
    betas: Betas = (0.9, 0.999)
    eps: AdamEpsilon = 1e-8
    weight_decay: WeightDecay = 0.0
    # the trained sheet, and the weights that it starts from
    form: SelfAttention | MultiHead | None = None
    matrices: Mapping[str, Any] = field(default_factory=dict)

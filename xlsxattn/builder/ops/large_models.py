"""Large models: parts of weight matrices, and the browser of heads."""

from __future__ import annotations

from dataclasses import replace

from xlsxattn.builder.ops.op import Op

PART_OF = Op("a part of a matrix", "=INDEX({m},{rows}[first],{columns}[col])", "cells")
LAST_COLUMNS = Op("its last columns", "=COLUMNS({m})-COLUMNS({first})+{first}[cell]", "cells")
FROBENIUS = Op("|W|", "=SQRT(SUMSQ({m}))", "cells")
CHOSEN_HEAD = Op(
    "the chosen head's place",
    "=(MAX(1,SUM(--({layers}<={layer})))-1)*ROWS({heads})+MAX(1,MIN(ROWS({heads}),INT({head})))",
    "cell arrays",
)
CHOSEN_MAP = Op(
    "Attention of the chosen head",
    "=CHOOSE({chosen},{maps})",
    why="How much does each word look at every other one in this head?",
)
# LibreOffice's CHOOSE takes at most 31 values: choose a layer, then a head.
CHOSEN_MAP_OF_MANY = replace(CHOSEN_MAP, formula="=CHOOSE(ROUNDUP({chosen}/{size},0),{maps})")
PAIR_WEIGHTS = Op("the largest weights", "=LARGE({map},{rank}[cell])", "cells")
# As for the largest logits: of equal weights, the first in reading order.
PAIR_PLACES = Op(
    "their cells, counted row by row",
    "=SMALL(IF(SIGN({map}-LARGE({map},{rank}[cell]))=0,"
    "(ROW({map})-MIN(ROW({map})))*COLUMNS({map})+COLUMN({map})-MIN(COLUMN({map}))+1),"
    "{rank}[cell]-SUM(--(SIGN({map}-LARGE({map},{rank}[cell]))>0)))",
    "cell arrays",
)
PAIR_FROM = Op("who looks", '=INDEX({words},INT(({places}[cell]-1)/COLUMNS({map}))+1)&""', "cells")
ONLY_WORD = Op("the only word", '={words}&""', "cells")  # not all engines accept a single cell in INDEX
PAIR_TO = Op("at whom", '=INDEX({words},MOD({places}[cell]-1,COLUMNS({map}))+1)&""', "cells")

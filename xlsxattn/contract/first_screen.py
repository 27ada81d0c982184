"""The texts of the first screen, part of the workbook format; docs/contract.md defines their use."""

UNKNOWN = "“{word}” is unknown (case-sensitive)."
BLANK = "A cell is blank: choose a word."
NO_PROMPT = "The first cell is blank: choose a word."
NO_FOCUS = "Choose a word to follow."
ABSENT = "“{focus}” is not in this sentence."
UNDECIDED = "“{focus}” is undecided between {lead} and {other}."
LEANS = "“{focus}” leans towards {lead}."
EQUALLY_CLOSE = "“{focus}” is equally close to {lead} and {other}."
CLOSEST = "“{focus}” is closest to {lead}."
MIXED = "“{focus}” has new numbers; their columns have no names."
TWICE = " Only the first one is used."
NO_CLASS = "There is no word to classify: choose one."
CLASS_UNDECIDED = "Undecided: {lead} or {other}."
CLASS = "Predicted class: {lead}."
NOT_YET = "Choose words from the vocabulary to see the result here."
NEITHER_HAS = "Neither sentence contains “{focus}”: add it to both, or follow another word."
ONE_HAS = "Only one sentence contains “{focus}”: add it to the other one, too."
DIFFERENT_INPUTS = "“{focus}” has different numbers in the two sentences, so the results cannot be compared."
SAME_NUMBERS = "Same word, same numbers, same result in both sentences. Change a yellow word."
OTHER_NUMBERS = "Same word, same numbers: different results."
BOTH_UNDECIDED = "Same word, same numbers: undecided in both sentences. Change a yellow word."
FIRST_UNDECIDED = "Same word, same numbers: here undecided, there {there}."
SECOND_UNDECIDED = "Same word, same numbers: here {here}, there undecided."
SAME = "Same word, same numbers: {here} in both sentences. Change a yellow word."
DIFFER = "Same word, same numbers: here {here}, there {there}."
DIVERGED = "The training diverges at step {step}: choose a smaller learning rate."
LEARNED = "In {steps} steps of learning, the loss falls by {percent} %."
SLIGHTLY_LEARNED = "In {steps} steps of learning, the loss falls by less than 1 %."
NOT_LEARNED = "In {steps} steps of learning, the loss does not fall: choose another learning rate."

# --- number formats, which add words to a text -------------------------------------------------------------

STORIES = {
    False: '"Each word has its own numbers. Attention mixes in other words. What becomes of “"@"”?"',
    True: '"A word has the same numbers in every sentence. Attention mixes in other words. What becomes of '
    '“"@"”?"',
}
"""By whether there are several sentences."""
WATCH = '"2   Watch “"@"” change"'
LOOKS_AT = '"how much “"@"” looks at it"'
BEFORE = '"“"@"” before"'
THEN = '"“"@"” after"'
AFTER = '"“"@"” after attention"'
AFTER_LEARNED = '"“"@"” after learned attention"'
AFTER_RANDOM = '"“"@"” after random weights"'
AFTER_POSITIONS = '"“"@"” after, with positions"'
AFTER_ENCODER = '"“"@"” after the encoder"'
AFTER_SECOND = '"“"@"” after the second encoder"'
MADE_OF = '"after attention = "@'
WRITES = '"It writes:  "@'
FORMATS = {
    "Story": (*STORIES.values(),),
    "Focus": (WATCH,),
    "Look_Cols": (LOOKS_AT,),
    "Before_Rows": (BEFORE,),
    "Output_Rows": (AFTER, AFTER_LEARNED, AFTER_RANDOM, AFTER_POSITIONS, AFTER_ENCODER, AFTER_SECOND),
    "Said": (MADE_OF,),
    "Text": (WRITES,),
}
"""By the ends of names, which begin with ``xlsxattn``."""

"""The texts of the first screen, part of the workbook format; docs/contract.md defines their use."""

UNKNOWN = "“{word}” is not in the vocabulary (capitals count): choose a word from the list."
BLANK = "A cell is blank: choose a word from its list."
NO_FOCUS = "Choose a word to follow."
ABSENT = "“{focus}” does not stand in this sentence."
TORN = "“{focus}” is torn between {lead} and {other}."
LEANS = "“{focus}” leans towards {lead}."
NEAR_TORN = "“{focus}” is as near to {lead} as to {other}."
NEAREST = "“{focus}” is nearest to {lead}."
MIXED = "“{focus}” has new numbers, in columns without names."
TWICE = " It is here more than once: the first counts."
NO_CLASS = "No word to read: choose one from the list."
CLASS_TORN = "Undecided: {lead} or {other}."
CLASS = "It says: {lead}."
NOT_YET = "Choose words that the vocabulary has, and this line says what comes out."
NEITHER_HAS = "“{focus}” stands in neither sentence: put it into both, or follow another word."
ONE_HAS = "“{focus}” stands in one sentence only: put it into the other as well."
UNLIKE = (
    "“{focus}” does not go into both sentences with the same numbers, so what comes out cannot be compared."
)
SAME_NUMBERS = "Same word, same numbers, and the same comes out of both. Change a yellow word."
OTHER_NUMBERS = "Same word, same numbers: different numbers come out."
NEITHER_DECIDES = "Same word, same numbers, and neither sentence decides. Change a yellow word."
FIRST_TORN = "Same word, same numbers: here undecided, there {there}."
SECOND_TORN = "Same word, same numbers: here {here}, there undecided."
SAME = "Both sentences say {here}. Change a yellow word until they differ."
DIFFER = "Same word, same numbers: here {here}, there {there}."

# --- number formats, which add words to a text -------------------------------------------------------------

STORIES = {
    False: '"“"@"” goes in with its own numbers. Attention mixes in the words around it. What comes out?"',
    True: '"“"@"” goes into every sentence with the same numbers. Attention mixes in the words around it. '
    'What comes out?"',
}
"""By whether there are several sentences."""
WATCH = '"2   Watch “"@"” change"'
LOOKS_AT = '"how much “"@"” looks at it"'
BEFORE = '"“"@"” before"'
THEN = '"“"@"” after"'
AFTER = '"“"@"” after attention"'
AFTER_LEARNED = '"“"@"” after learned attention"'
AFTER_ENCODER = '"“"@"” after the encoder"'
AFTER_SECOND = '"“"@"” after the second encoder"'
MADE_OF = '"after attention = "@'
WRITES = '"It writes:  "@'
FORMATS = {
    "Story": (*STORIES.values(),),
    "Focus": (WATCH,),
    "Look_Cols": (LOOKS_AT,),
    "Before_Rows": (BEFORE,),
    "Output_Rows": (AFTER, AFTER_LEARNED, AFTER_ENCODER, AFTER_SECOND),
    "Said": (MADE_OF,),
    "Text": (WRITES,),
}
"""By the ends of names, which begin with ``xlsxattn``."""

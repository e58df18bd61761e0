"""The words that the offline grammar knows, as data."""

from __future__ import annotations

COLORS = frozenset(
    "red maroon lime green blue navy yellow cyan magenta silver gray orange olive purple teal azure violet rose black "
    "white pink".split()
)

POSITIONS = frozenset({"top", "middle", "bottom", "left", "right"})

RANKS = ("top", "middle", "bottom")
"""Names that say where a thing stands in a row, from the first on."""

_SYNONYMS = {
    "gray": "grey",
    "top": "upper uppermost topmost highest",
    "middle": "center centre central",
    "bottom": "lower lowest bottommost lowermost",
    "left": "leftmost",
    "right": "rightmost",
    "rubbish": "trash garbage litter waste junk",
    "bin": "dustbin wastebasket wastebin trashcan",
    "block": "cube brick blocks cubes",
    "target": "goal square plane area patch zone spot region targets",
    "ball": "sphere orb balls spheres",
    "button": "buttons",
    "drawer": "drawers",
    "handle": "knob pull handles",
    "cabinet": "dresser cupboard chest",
    "tomato": "tomatoes",
    "table": "tabletop desk",
    "gripper": "hand fingers claw",
}
SYNONYMS = {word: common for common, words in _SYNONYMS.items() for word in words.split()}
"""Word -> the word that stands for it and its like."""

_COMPOUNDS = {
    "bin": (
        "trash can",
        "garbage can",
        "rubbish bin",
        "trash bin",
        "waste bin",
        "garbage bin",
        "litter bin",
        "waste basket",
        "waste paper basket",
        "waste paper bin",
    ),
    "cabinet": ("chest of drawers",),
    "gripper": ("panda gripper", "robot gripper", "robot hand", "end effector"),
    "table": ("table top", "work surface"),
}
COMPOUNDS = {tuple(words.split()): common for common, all_words in _COMPOUNDS.items() for words in all_words}
"""Nouns of several words -> the one that stands for them."""

NOUNS = frozenset("rubbish bin block target ball button drawer handle cabinet table gripper tomato door".split())
PARTS = frozenset({"handle"})
HAVE_HANDLES = frozenset({"drawer", "door"})
CONTAINERS = frozenset("bin box basket bowl bucket tray cup drawer".split())
FURNITURE = frozenset({"cabinet"})

ORDINALS = {
    word: place
    for place, words in enumerate(("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th"), start=1)
    for word in words.split()
} | {"last": -1}
NUMBERS = {
    word: number
    for number, word in enumerate("one two three four five six seven eight nine ten eleven twelve".split(), start=1)
} | {"fifteen": 15, "twenty": 20, "thirty": 30}

UNITS = {
    **dict.fromkeys(("cm", "cms", "centimeter", "centimeters", "centimetre", "centimetres"), 1.0),
    **dict.fromkeys(("m", "meter", "meters", "metre", "metres"), 100.0),
    **dict.fromkeys(("mm", "millimeter", "millimeters", "millimetre", "millimetres"), 0.1),
    **dict.fromkeys(("inch", "inches"), 2.54),
}
"""Unit -> cm."""

VERBS = {
    "open": "open",
    "close": "close shut",
    "pull": "pull slide draw tug",
    "push": "push shove slide nudge move drag get shift",
    "shut": "push slide shove",
    "press": "press push hit tap click depress poke activate",
    "grasp": "grasp grab grip seize clasp hold catch take get",
    "lift": "lift raise hoist elevate",
    "carry": "carry bring lift raise hoist take grasp transport",
    "put": "put place drop throw toss chuck move leave deposit stick dump lay set drag",
    "throw": "throw chuck toss take",
    "tidy": "clean clear tidy",
    "discard": "discard bin trash",
    "reach": "reach touch",
    "move": "move go come travel",
}
"""Class of verbs that mean one thing -> its verbs in the infinitive."""

DETERMINERS = frozenset("the a an any all this that your".split())
PRONOUNS = frozenset({"it", "them"})
FILLERS = frozenset("coloured colored color colour small little big large one ones object thing item".split())
"""Words in a noun phrase that say nothing of the name."""

NEGATIONS = frozenset(
    "not never no nor neither none nothing nobody without except excluding unless instead cannot dont don't".split()
)
QUESTIONS = frozenset(
    "is are was were am do does did can could will would shall should may might have has had what which who whose whom "
    "where when why how".split()
)
UNDECIDED = {
    "or": "a choice",
    "either": "a choice",
    "if": "a condition",
    "whether": "a condition",
    "simultaneously": "two things at one time",
}
UNDECIDED_PHRASES = {("at", "once"): "two things at one time", ("same", "time"): "two things at one time"}

_SPEEDS = {
    0.25: ("very slowly", "at [a|one] quarter [of] [the|your] [full|normal|usual] speed"),
    0.5: (
        "slowly|slower|gently|carefully|softly|cautiously",
        "with care",
        "at half [of] [the|your|its] [full|normal|usual] speed",
        "at half of the [full|normal|usual] speed",
    ),
    0.75: ("at three quarters [of] [the|your] [full|normal|usual] speed",),
    1.5: ("quickly|fast|faster|rapidly|swiftly",),
}
SPEEDS = {phrase: factor for factor, phrases in _SPEEDS.items() for phrase in phrases}
"""Pattern (see `pattern.py`) -> factor. VoxPoser's own words for speeds mean the same factors."""

POLITE = (
    "please|kindly|now|just",
    "i want|need you to",
    "i would like you to",
    "i'd like you to",
    "you should|must",
    "you need|have to",
    "go ahead and",
    "for me",
    "hey|ok|okay robot",
    "completely|fully|entirely",
    "all the way",
    "leaving|leave any|the|all other objects|things alone",
    "with the|your gripper",
    "with the|your robot gripper",
    "across|along the table",
    "in that|this order",
    "piece|pieces|bit|bits of",
    "use|using the|your gripper to",
)
"""Patterns of what may be left out."""

"""The texts of the workload: written for it, so that no data set has to be fetched."""

from __future__ import annotations

SHORT = (
    "The old lighthouse keeper opened the door and saw that",
    "To bake a simple loaf of bread at home, you first",
    "Three reasons why cities should plant more trees are the following:",
    "In the year the river changed its course, the people of",
)

#: Begins differently in each long prompt, so that no two of them share a prefix.
PARAGRAPHS = (
    "The harbour wakes before the town does. Nets are shaken out, ropes are coiled, and the first "
    "boats leave while the street lamps still burn. By noon the catch lies on ice under a canvas "
    "roof, and the buyers walk along the tables with short pencils and long lists.",
    "A clock is a promise made of brass. Each wheel turns the next, and each tooth must be cut so "
    "that it neither slips nor binds. The apprentice learns this with a file in one hand and a "
    "magnifying glass in the other, and he learns it slowly.",
    "Rain that falls on the northern slope takes nine days to reach the lake. It sinks through "
    "moss and gravel, rests for a while in the dark, and comes out again as a spring that has "
    "never been known to fail, not even in the dry summer of the great fire.",
    "The school stood on a hill so that the children could be seen coming from every side. It had "
    "two rooms, one stove, and a bell that was rung by whoever arrived first. In winter that was "
    "nearly always the miller's daughter, who had the shortest way and the coldest house.",
    "Every machine in the hall had a name. The press was called the widow, because it had "
    "outlived two owners, and the lathe was called the priest, because it hummed. Visitors took "
    "this for a joke; the workers did not, and would not start the widow on a Friday.",
    "A letter took three weeks, and the answer took three more, so a question asked in spring was "
    "settled in summer. People wrote accordingly. They asked only what would still matter, and "
    "they told first what the other would need to know in order to reply.",
    "Seeds keep a kind of time. Some sprout at the first warmth and are taken by the frost; others "
    "wait for a second sign, a certain length of day, and come up late but safe. The gardener who "
    "mixes both in one bed loses some every year and never loses all.",
)

LONG_QUESTIONS = (
    "The writer then explained, in one more paragraph, what these scenes have in common:",
    "A short summary of the passages above, for someone who has no time to read them:",
    "The next paragraph of the story, in the same voice and of the same length, reads:",
    "A careful reader could raise the following objection to what is said above:",
)

HEADER = (
    "You answer questions about everyday things. Answers are short, plain and correct.\n\n"
    "Question: Why does bread rise?\n"
    "Answer: Yeast eats sugar in the dough and gives off gas, and the gas is held in by gluten.\n\n"
    "Question: Why is the sea salty?\n"
    "Answer: Rivers carry dissolved minerals into it, and water leaves by evaporation while the "
    "minerals stay.\n\n"
    "Question: What makes a bicycle stay upright?\n"
    "Answer: The rider steers a little into each fall, and the geometry of the fork helps the "
    "wheel to do the same by itself.\n\n"
    "Question: Why do leaves change colour in autumn?\n"
    "Answer: The green pigment is broken down and taken back into the tree, and the yellow and "
    "red ones that were hidden become visible.\n\n"
    "Question: How does soap clean?\n"
    "Answer: One end of its molecule holds on to grease and the other to water, so that the "
    "grease is carried away with the rinse.\n\n"
    "Question: Why is ice slippery?\n"
    "Answer: Its surface has a thin layer of loosely bound molecules that moves almost like a "
    "liquid, even well below the freezing point.\n\n"
    "Question: Why do we see lightning before we hear thunder?\n"
    "Answer: Light crosses the distance at once, while sound needs about three seconds for each "
    "kilometre.\n\n"
    "Question: What keeps an aeroplane in the air?\n"
    "Answer: Its wings turn the flow of air downwards, and the reaction to that is a force "
    "upwards.\n\n"
    "Question: Why does metal feel colder than wood?\n"
    "Answer: It conducts heat away from the hand faster, although both have the same "
    "temperature.\n\n"
    "Question: How does a compass find north?\n"
    "Answer: Its needle is a magnet, and it turns until it lies along the magnetic field of the "
    "earth.\n\n"
    "Question: Why do onions make us cry?\n"
    "Answer: Cutting them frees a gas that becomes a weak acid on the surface of the eye.\n\n"
)

HEADED_QUESTIONS = (
    "Question: Why is the sky blue?\nAnswer:",
    "Question: How does a candle burn?\nAnswer:",
    "Question: Why do cats purr?\nAnswer:",
    "Question: What is the use of salt on icy roads?\nAnswer:",
)

#: Not in any workload: warming up must not fill a prefix cache with what is measured.
WARM_UP = "Nobody in the valley could remember a winter without snow, until"
